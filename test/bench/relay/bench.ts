// Herald against HAProxy, nginx and the npm proxies, slice by slice in turn, since machines drift. Every figure is a median
// of rounds, and so is its ratio to the first subject's figure of the same round.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '../../support/certificates.ts';
import { middle } from '../row.ts';
import { handshakeCell, latencyCell, memoryCell, messageCell, type Cell } from './cells.ts';
import { startLoad, type LoadProcess } from './load-process.ts';
import { subjectKinds, type SubjectKind } from './subjects.ts';
import { startSubject, type Subject } from './subject-process.ts';
import type { Security } from './words.ts';

/** How long and how much. */
export interface RelayScale {
  /** Of messages, in slices of `sliceMs`: cheap, and the smallest differences are theirs. */
  readonly messageRounds: number;
  readonly sliceMs: number;
  /** Of all else. */
  readonly rounds: number;
  readonly handshakes: number;
  readonly connections: readonly number[];
  readonly payloadBytes: readonly number[];
  readonly idleConnections: number;
  readonly latencyMs: number;
  /** Subjects by their names; absent: all. */
  readonly only?: readonly string[];
}

/** One table: a row for each subject. */
export interface RelayTable {
  readonly name: 'messages' | 'handshakes' | 'tls' | 'latency' | 'memory';
  readonly titles: readonly string[];
  readonly rows: readonly RelayRow[];
}

/** The figures of one subject. */
export interface RelayRow {
  readonly subject: string;
  /** In the order of the titles; undefined where it takes no part. */
  readonly figures: readonly (Figure | undefined)[];
}

/** One figure, and how many times the first subject's it is. */
export interface Figure {
  readonly value: number;
  readonly times: number;
}

const pacePerSecond = 5000;

/** Of one subject in one cell: a list of figures for each round. */
type Samples = ReadonlyMap<SubjectKind, readonly (readonly number[])[]>;

/** Measures all, and tells each table when it is whole. Needs Linux, whose /proc tells the CPU time of a process, and openssl. */
export async function benchRelay(scale: RelayScale, tell: (table: RelayTable) => void): Promise<void> {
  if (!existsSync('/proc/self/schedstat'))
    throw new Error('the relay benchmark needs Linux with /proc/PID/schedstat');
  const directory = mkdtempSync(join(tmpdir(), 'herald-bench-'));
  const certificates = makeCertificates();
  const load = await startLoad();
  const setting = { directory, nodePort: load.nodePort, certificate: certificates.own };
  const kinds = subjectKinds(setting).filter(({ name }) => scale.only?.includes(name) ?? true);
  try {
    await timeTables(load, scale, kinds, tell);
    progress('memory');
    const memory = memoryCell(load, scale.idleConnections);
    tell(tableOf('memory', [[memory, await ofFresh(memory, kinds)]], kinds));
  } finally {
    load.stop();
    certificates.remove();
    rmSync(directory, { recursive: true });
  }
}

/** What is measured now: minutes without a word look like an end. */
function progress(what: string): void {
  process.stderr.write(`measuring ${what}\n`);
}

async function timeTables(
  load: LoadProcess,
  scale: RelayScale,
  kinds: readonly SubjectKind[],
  tell: (table: RelayTable) => void,
): Promise<void> {
  const subjects = new Map<SubjectKind, Subject>();
  const table = async (name: RelayTable['name'], cells: readonly Cell[]) => {
    const rounds = name === 'messages' ? scale.messageRounds : scale.rounds;
    const measured: [Cell, Samples][] = [];
    for (const cell of cells) {
      progress(`${name}: ${cell.titles.join(', ')}`);
      measured.push([cell, await inTurn(cell, subjects, rounds)]);
    }
    tell(tableOf(name, measured, kinds));
  };
  const message = (connections: number, payloadBytes: number, security: Security) =>
    messageCell(load, scale, { connections, payloadBytes, security });
  const handshake = (title: string, security: Security) => handshakeCell(load, scale, { title, security });
  try {
    for (const kind of kinds) subjects.set(kind, await startSubject(kind.name, kind.command));
    const sizes = (count: number) => scale.payloadBytes.map((bytes) => message(count, bytes, 'none'));
    await table('messages', scale.connections.flatMap(sizes));
    await table('handshakes', [handshake('upgrade', 'none')]);
    await table('tls', [
      message(200, 1024, 'full'),
      handshake('full handshake', 'full'),
      handshake('resumed handshake', 'resumed'),
    ]);
    await table('latency', [latencyCell(load, { perSecond: pacePerSecond, durationMs: scale.latencyMs })]);
  } finally {
    for (const subject of subjects.values()) await subject.stop();
  }
}

/** One round to warm up and `rounds` that count, each subject in turn. */
async function inTurn(
  cell: Cell,
  subjects: ReadonlyMap<SubjectKind, Subject>,
  rounds: number,
): Promise<Samples> {
  const samples = new Map<SubjectKind, (readonly number[])[]>();
  for (let round = 0; round <= rounds; round += 1)
    for (const [kind, subject] of subjects) {
      if (!cell.takesPart(kind)) continue;
      const figures = await cell.measure(subject);
      if (round > 0) samples.set(kind, [...(samples.get(kind) ?? []), figures]);
    }
  return samples;
}

/** Once, of a process that has done nothing before. */
async function ofFresh(cell: Cell, kinds: readonly SubjectKind[]): Promise<Samples> {
  const samples = new Map<SubjectKind, (readonly number[])[]>();
  for (const kind of kinds) {
    if (!cell.takesPart(kind)) continue;
    const subject = await startSubject(kind.name, kind.command);
    try {
      samples.set(kind, [await cell.measure(subject)]);
    } finally {
      await subject.stop();
    }
  }
  return samples;
}

function tableOf(
  name: RelayTable['name'],
  measured: readonly (readonly [Cell, Samples])[],
  kinds: readonly SubjectKind[],
): RelayTable {
  const figuresOf = (kind: SubjectKind) =>
    measured.flatMap(([{ titles }, samples]) => titles.map((_, index) => figureOf(samples, kind, index)));
  const rows = kinds.map((kind) => ({ subject: kind.name, figures: figuresOf(kind) }));
  return {
    name,
    titles: measured.flatMap(([{ titles }]) => titles),
    rows: rows.filter(({ figures }) => figures.some((figure) => figure !== undefined)),
  };
}

function figureOf(samples: Samples, kind: SubjectKind, index: number): Figure | undefined {
  const own = samples.get(kind)?.map((figures) => figures[index] ?? NaN);
  if (own === undefined) return undefined;
  // Who comes first in the table: HAProxy, where it takes part.
  const [first = []] = samples.values();
  const ratios = own.map((value, round) => value / (first[round]?.[index] ?? NaN));
  return { value: middle(own), times: middle(ratios) };
}
