// `npm run bench`: every benchmark, as a table on stdout; `--write` also keeps it in docs/performance.md.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { join } from 'node:path';
import { benchConnections } from './connections.ts';
import { benchFrameCursor } from './frame-cursor.ts';
import { benchPlacement } from './placement.ts';
import { benchRelay } from './relay.ts';
import { benchReports } from './report-decode.ts';

interface Section {
  readonly title: string;
  readonly about: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const sections: Section[] = [await relay(), await placement(), await reports(), frameCursor(), connections()];
process.stdout.write(`${sections.map(asText).join('\n\n')}\n`);
if (process.argv.includes('--write')) {
  writeFileSync(join(import.meta.dirname, '../../docs/performance.md'), page());
  process.stdout.write('wrote docs/performance.md\n');
}

async function relay(): Promise<Section> {
  const rows = await benchRelay({ connections: [200, 2000], payloadBytes: [64, 1024, 16_384] });
  const reference = rows[0]?.subject ?? '';
  return {
    title: 'Relay',
    about: `CPU time of each process for one message (one way) and for one upgrade (connect, upgrade, 101, close). Each slice of a subject follows a slice of ${reference}; \`times\` is the median of the ratios of the rounds, which is to be trusted before the microseconds.`,
    head: ['subject', 'what', 'µs of CPU', `times ${reference}`],
    rows: rows.map((row) => [
      row.subject,
      row.unit === 'message' ? `message of ${row.payloadBytes} B, ${row.connections} connections` : 'upgrade',
      row.cpuMicroseconds.toFixed(2),
      row.timesFirst.toFixed(2),
    ]),
  };
}

async function placement(): Promise<Section> {
  return {
    title: 'Placement',
    about:
      'One placement with its lease, and one fresh assessment of the whole pool (scores, regressions, shares), which happens at most 20 times a second.',
    head: ['what', 'nodes', 'cost'],
    rows: (await benchPlacement()).map(({ name, nodes, value, unit }) => [
      name,
      String(nodes),
      `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`,
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
