// Herald against HAProxy and the npm proxies: CPU time of each for a message and for a handshake, slice by slice
// in turn, since machines drift. The load is a process of its own and slower than a relay: nothing is saturated.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadAnswer, LoadCommand, LoadReady } from './relay-load.ts';
import { startSubjects } from './relay-subjects.ts';
import type { Subject } from './relay-subjects.ts';
import { middle } from './row.ts';

/** One line of the result. */
export interface RelayRow {
  readonly subject: string;
  /** `message`: one way through the relay. `handshake`: connect, upgrade, close. */
  readonly unit: 'message' | 'handshake';
  /** 0 for handshakes. */
  readonly connections: number;
  readonly payloadBytes: number;
  /** CPU time of the subject's processes, median of the rounds. */
  readonly cpuMicroseconds: number;
  /** Times the first subject's cost in the same round, median of the rounds: HAProxy's where it is installed. */
  readonly timesFirst: number;
}

/** How long and how much; the defaults take about a minute. */
export interface RelayBenchOptions {
  readonly rounds?: number;
  readonly sliceMs?: number;
  readonly connections?: readonly number[];
  readonly payloadBytes?: readonly number[];
  readonly handshakes?: number;
}

const parallelHandshakes = 16;

/** Measures all subjects. Needs Linux, whose /proc tells the CPU time of a process. */
export async function benchRelay(options: RelayBenchOptions = {}): Promise<RelayRow[]> {
  const {
    rounds = 3,
    sliceMs = 600,
    connections = [200],
    payloadBytes = [64, 16_384],
    handshakes = 1500,
  } = options;
  if (!existsSync('/proc/self/schedstat'))
    throw new Error('the relay benchmark needs Linux with /proc/PID/schedstat');
  const load = startLoad();
  // The first message of relay-load.ts, by its own type.
  const [ready] = (await Promise.race([once(load.process, 'message'), load.died])) as [LoadReady];
  const subjects = await startSubjects(ready.nodePort);
  try {
    const rows: RelayRow[] = [];
    for (const count of connections)
      for (const size of payloadBytes)
        rows.push(
          ...(await compare(
            subjects,
            rounds,
            { unit: 'message', connections: count, payloadBytes: size },
            (subject) => messageSlice(load, subject, count, size, sliceMs),
          )),
        );
    rows.push(
      ...(await compare(subjects, rounds, { unit: 'handshake', connections: 0, payloadBytes: 0 }, (subject) =>
        handshakeSlice(load, subject, handshakes),
      )),
    );
    return rows;
  } finally {
    for (const subject of subjects) await subject.stop();
    load.process.kill();
  }
}

/** The generator's process, and a promise that only ever fails. */
interface Load {
  readonly process: ChildProcess;
  readonly died: Promise<never>;
}

function startLoad(): Load {
  const child = fork(join(import.meta.dirname, 'relay-load.ts'), { execArgv: ['--import', 'tsx'] });
  const died = once(child, 'exit').then(() => {
    throw new Error('the load generator ended');
  });
  // It ends with the benchmark, when nobody waits for it any more.
  died.catch(() => {});
  return { process: child, died };
}

type Cell = Pick<RelayRow, 'unit' | 'connections' | 'payloadBytes'>;

/** One warm-up round and `rounds` measured ones, each subject in turn. */
async function compare(
  subjects: readonly Subject[],
  rounds: number,
  cell: Cell,
  slice: (subject: Subject) => Promise<number>,
): Promise<RelayRow[]> {
  const costs: number[][] = [];
  for (let round = 0; round <= rounds; round++) {
    const row: number[] = [];
    for (const subject of subjects) row.push(await slice(subject));
    if (round > 0) costs.push(row);
  }
  return subjects.map((subject, i) => ({
    subject: subject.name,
    ...cell,
    cpuMicroseconds: middle(costs.map((row) => row[i] ?? NaN)),
    timesFirst: middle(costs.map((row) => (row[i] ?? NaN) / (row[0] ?? NaN))),
  }));
}

async function messageSlice(
  load: Load,
  subject: Subject,
  connections: number,
  payloadBytes: number,
  durationMs: number,
): Promise<number> {
  await ask(load, { kind: 'open', port: subject.port, connections, payloadBytes });
  await ask(load, { kind: 'run', durationMs: 200 });
  const before = subject.cpuNanoseconds();
  const roundTrips = await ask(load, { kind: 'run', durationMs });
  const after = subject.cpuNanoseconds();
  await ask(load, { kind: 'close' });
  return (after - before) / 1000 / (2 * roundTrips);
}

async function handshakeSlice(load: Load, subject: Subject, count: number): Promise<number> {
  const before = subject.cpuNanoseconds();
  await ask(load, { kind: 'handshakes', port: subject.port, count, parallel: parallelHandshakes });
  return (subject.cpuNanoseconds() - before) / 1000 / count;
}

async function ask(load: Load, command: LoadCommand): Promise<number> {
  load.process.send(command);
  // Each command has one answer of this type.
  const [answer] = (await Promise.race([once(load.process, 'message'), load.died])) as [LoadAnswer];
  return answer.count;
}

if (process.argv[1] === import.meta.filename) process.stdout.write(`${table(await benchRelay())}\n`);

function table(rows: readonly RelayRow[]): string {
  return rows
    .map((row) => {
      const what =
        row.unit === 'message' ? `${row.connections} connections, ${row.payloadBytes} B` : 'handshake';
      const cost = `${row.cpuMicroseconds.toFixed(2)} us`;
      return `${row.subject.padEnd(26)} ${what.padEnd(28)} ${cost.padStart(10)}  x${row.timesFirst.toFixed(2)}`;
    })
    .join('\n');
}
