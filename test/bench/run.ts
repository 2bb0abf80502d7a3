// `npm run bench`: every benchmark, as a table on stdout; `--write` also keeps it in docs/performance.md.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { join } from 'node:path';
import { benchConnections } from './connections.ts';
import { benchFrameCursor } from './frame-cursor.ts';
import { benchPlacement, wholeScale } from './placement.ts';
import { benchRelay, type Figure, type RelayScale, type RelayTable } from './relay/bench.ts';
import { benchReports } from './report-decode.ts';

interface Section {
  readonly title: string;
  readonly about: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const relayWords: Readonly<Record<RelayTable['name'], Pick<Section, 'title' | 'about'>>> = {
  messages: {
    title: 'Messages',
    about:
      'Microseconds of CPU for one message one way, by its size and the number of connections that send one after the other; in brackets times the first row. The bounds are 1.2 times HAProxy at 200 connections and 1.35 at 2,000, and 1.0 at 16 KiB, where HAProxy has buffers of 64 KiB: its usual ones do not take such a message at once. [Where the CPU of a message goes](decisions/0004-own-tunnel.md#where-the-cpu-of-a-message-goes).',
  },
  handshakes: {
    title: 'Upgrades',
    about:
      'Microseconds of CPU for one connection: connect, upgrade, 101, close. The bound is 2.2 times HAProxy on Node 20 and 1.6 on Node 24.',
  },
  tls: {
    title: 'TLS in front',
    about:
      'Microseconds of CPU for one message one way over TLS 1.3, and for one connection: connect, handshake (P-256), upgrade, 101, close. The bounds are 1.5 times HAProxy, and 2 where a session is resumed.',
  },
  latency: {
    title: 'Latency',
    about:
      'Microseconds that a subject adds to a round trip of 64 B at 5,000 of them a second over 200 connections: its p50 and p99 less those of the node alone, in the same round. The bounds are 1.1 and 1.5 times HAProxy. The p99 has pauses of the load itself in it: only large differences say something.',
  },
  memory: {
    title: 'Memory',
    about:
      'KiB resident for each of so many idle WebSocket connections, of a process that has just started. The bound is 9.',
  },
};

// A minute: what a change of the relay or of placement is looked at by.
const quick: RelayScale = {
  messageRounds: 4,
  sliceMs: 150,
  rounds: 2,
  handshakes: 2000,
  connections: [200],
  payloadBytes: [64, 16_384],
  idleConnections: 2000,
  latencyMs: 800,
  only: ['haproxy', 'haproxy, buffers of 64 KiB', 'herald'],
};
const whole: RelayScale = {
  messageRounds: 11,
  sliceMs: 250,
  rounds: 5,
  handshakes: 2000,
  connections: [200, 2000],
  payloadBytes: [64, 1024, 16_384],
  // Each takes a port between the subject and the node: those of all subjects together must not use them up.
  idleConnections: 4000,
  latencyMs: 2000,
};
const isQuick = process.argv.includes('--quick');

const sections: Section[] = [];

/** Shown at once: whoever waits for minutes sees what there is already. */
function show(section: Section): void {
  sections.push(section);
  process.stdout.write(`${asText(section)}\n\n`);
}

await benchRelay(isQuick ? quick : whole, (table) => show(relaySection(table)));
show(placement());
if (!isQuick) {
  show(await reports());
  show(frameCursor());
  show(connections());
}
if (process.argv.includes('--write')) {
  writeFileSync(join(import.meta.dirname, '../../docs/performance.md'), page());
  process.stdout.write('wrote docs/performance.md\n');
}

function relaySection({ name, titles, rows }: RelayTable): Section {
  return {
    ...relayWords[name],
    head: ['subject', ...titles],
    rows: rows.map(({ subject, figures }) => [subject, ...figures.map(figureText)]),
  };
}

function placement(): Section {
  const scale = isQuick ? { fleetSizes: [1000], pickers: [] } : wholeScale;
  const sizes = scale.fleetSizes.map((size) => `${size.toLocaleString('en')} nodes`);
  return {
    title: 'Placement',
    about:
      'Microseconds for one placement with its lease and its release, by each picker and by affinity; and the part of a core that keeping shares up to date takes (scores, regressions, water-filling) where each node reports once a second and somebody is placed every five milliseconds. The bounds for 1,000 nodes are 1 µs and 2 %. `least`, `leastConnections` and `roundRobin` compare every node, and hashing draws for every node where it has not met the key lately.',
    head: ['what', ...sizes],
    rows: benchPlacement(scale).map(({ name, values, unit }) => [
      unit === 'µs' ? name : `${name}, ${unit}`,
      ...values.map((value) => value.toFixed(2)),
    ]),
  };
}

async function reports(): Promise<Section> {
  return {
    title: 'Reports',
    about: 'CPU time for one report; the second row has the client and both sides of HTTP in it.',
    head: ['what', 'cost'],
    rows: (await benchReports()).map(({ name, value, unit }) => [name, `${value.toFixed(1)} ${unit}`]),
  };
}

function frameCursor(): Section {
  return {
    title: 'Frame cursor',
    about: 'Reading WebSocket frame headers to count messages.',
    head: ['payload', 'frames a chunk', 'ns a frame'],
    rows: benchFrameCursor().map((row) => [
      `${row.payloadBytes} B`,
      String(row.framesPerChunk),
      row.nanosecondsPerFrame.toFixed(1),
    ]),
  };
}

function connections(): Section {
  return {
    title: 'Connections',
    about:
      'What an open connection costs where its messages and bytes are kept: memory of the table (again right after it has grown), counting a read, the sweep that runs twice a second, and the list that drain and rebalance plan by.',
    head: ['what', 'cost'],
    rows: benchConnections().map(({ name, value, unit }) => [name, `${value.toFixed(1)} ${unit}`]),
  };
}

function figureText(figure: Figure | undefined): string {
  if (figure === undefined) return '';
  return `${figure.value.toFixed(figure.value < 100 ? 1 : 0)} (×${figure.times.toFixed(2)})`;
}

function asText({ title, head, rows }: Section): string {
  const all = [head, ...rows];
  const widths = head.map((_, index) => Math.max(...all.map((row) => (row[index] ?? '').length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [title, ...all.map((row) => `  ${line(row)}`)].join('\n');
}

function asMarkdown({ title, about, head, rows }: Section): string {
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`;
  return [`## ${title}`, '', about, '', line(head), line(head.map(() => '---')), ...rows.map(line)].join(
    '\n',
  );
}

function page(): string {
  const date = new Date().toISOString().slice(0, 10);
  const machine = `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown CPU'}, Linux ${release()}`;
  return `${[
    '# Performance',
    '',
    '<!-- Written by `npm run bench -- --write`. -->',
    `Measured on ${date}: ${machine}, Node ${process.version}${haproxyVersion()}. Subjects and load share the machine, so`,
    'figures in microseconds move by a tenth and more from run to run; ratios of one run move less. Run it on yours:',
    '`npm run bench`.',
    '',
    ...sections.flatMap((section) => [asMarkdown(section), '']),
  ]
    .join('\n')
    .trimEnd()}\n`;
}

function haproxyVersion(): string {
  try {
    const [line = ''] = execFileSync('haproxy', ['-v'], { encoding: 'utf8' }).split('\n');
    return `, HAProxy ${/version (\S+)/.exec(line)?.[1] ?? ''}`;
  } catch {
    return '';
  }
}
