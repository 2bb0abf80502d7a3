// What is measured of each subject. A cell is one column of a table, or two that one slice gives.
import type { LoadProcess } from './load-process.ts';
import type { SubjectKind } from './subjects.ts';
import type { Subject } from './subject-process.ts';
import type { Security } from './words.ts';

/** One slice. */
export interface Cell {
  /** A column for each figure that `measure` gives. */
  readonly titles: readonly string[];
  takesPart(kind: SubjectKind): boolean;
  measure(subject: Subject): Promise<readonly number[]>;
}

/** How long and how much. */
export interface CellScale {
  readonly sliceMs: number;
  readonly handshakes: number;
}

const warmUpMs = 150;
const parallelHandshakes = 32;
const largeBytes = 16_384;
// A handshake of TLS takes as long as several without, on both sides.
const tlsPart = 4;

/** CPU of the subject for one message one way, in microseconds. */
export function messageCell(
  load: LoadProcess,
  scale: CellScale,
  what: { readonly connections: number; readonly payloadBytes: number; readonly security: Security },
): Cell {
  const { connections, payloadBytes, security } = what;
  const size = payloadBytes < 1024 ? `${payloadBytes} B` : `${payloadBytes / 1024} KiB`;
  return {
    titles: [`${size}, ${connections.toLocaleString('en')}`],
    takesPart: (kind) => takesSize(kind, payloadBytes) && (security === 'none' || kind.hasTls),
    async measure(subject) {
      const port = portOf(subject, security);
      await load.ask({ kind: 'open', port, connections, payloadBytes, security });
      await load.ask({ kind: 'run', durationMs: warmUpMs });
      const before = subject.cpuNanoseconds();
      const { count } = await load.ask({ kind: 'run', durationMs: scale.sliceMs });
      const cost = (subject.cpuNanoseconds() - before) / 1000 / (2 * count);
      await load.ask({ kind: 'close' });
      return [cost];
    },
  };
}

/** CPU of the subject for one connection: connect, TLS where asked for, upgrade, 101, close; in microseconds. */
export function handshakeCell(
  load: LoadProcess,
  scale: CellScale,
  { title, security }: { readonly title: string; readonly security: Security },
): Cell {
  return {
    titles: [title],
    takesPart: (kind) => kind.messages !== 'large' && (security === 'none' || kind.hasTls),
    async measure(subject) {
      const count = security === 'none' ? scale.handshakes : scale.handshakes / tlsPart;
      const port = portOf(subject, security);
      // The session that is resumed comes of a connection before.
      if (security === 'resumed') await keepSession(load, port);
      const before = subject.cpuNanoseconds();
      await load.ask({ kind: 'handshakes', port, count, parallel: parallelHandshakes, security });
      return [(subject.cpuNanoseconds() - before) / 1000 / count];
    },
  };
}

/** What the subject adds to the time of a round trip, in microseconds: its p50 and p99 less those of the node alone. */
export function latencyCell(
  load: LoadProcess,
  { perSecond, durationMs }: { readonly perSecond: number; readonly durationMs: number },
): Cell {
  const paced = async (port: number) => {
    await load.ask({ kind: 'open', port, connections: 200, payloadBytes: 64, security: 'none' });
    await load.ask({ kind: 'run', durationMs: warmUpMs });
    const answer = await load.ask({ kind: 'pace', perSecond, durationMs });
    await load.ask({ kind: 'close' });
    return answer;
  };
  return {
    titles: ['p50', 'p99'],
    takesPart: (kind) => kind.messages !== 'large',
    async measure({ ports }) {
      const direct = await paced(load.nodePort);
      const relayed = await paced(ports.plain);
      return [relayed.p50Us - direct.p50Us, relayed.p99Us - direct.p99Us];
    },
  };
}

/** Resident memory of a fresh subject for each of so many idle connections, in KiB, a moment after they have opened. */
export function memoryCell(load: LoadProcess, connections: number): Cell {
  const hold = (port: number, count: number) =>
    load.ask({ kind: 'open', port, connections: count, payloadBytes: 64, security: 'none' });
  return {
    titles: [connections.toLocaleString('en')],
    takesPart: (kind) => kind.messages !== 'large',
    async measure(subject) {
      await hold(subject.ports.plain, 100);
      await load.ask({ kind: 'run', durationMs: warmUpMs });
      await load.ask({ kind: 'close' });
      await pause(500);
      const before = subject.residentKib();
      await hold(subject.ports.plain, connections);
      await pause(3000);
      const grown = subject.residentKib() - before;
      await load.ask({ kind: 'close' });
      return [grown / connections];
    },
  };
}

async function keepSession(load: LoadProcess, port: number): Promise<void> {
  // Tickets come behind the handshake, so this one stays until a message has come back.
  await load.ask({ kind: 'open', port, connections: 1, payloadBytes: 64, security: 'full' });
  await load.ask({ kind: 'run', durationMs: 20 });
  await load.ask({ kind: 'close' });
}

function takesSize({ messages }: SubjectKind, payloadBytes: number): boolean {
  return messages === undefined || (messages === 'large') === payloadBytes >= largeBytes;
}

function portOf({ ports }: Subject, security: Security): number {
  return security === 'none' ? ports.plain : ports.tls;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
