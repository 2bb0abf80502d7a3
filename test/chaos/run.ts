// `npm run chaos -- --seed N --minutes M`: breaks a fleet of real processes by a seed and says what held. Ends with 1
// when something did not. `--schedule` prints what would be done and starts nothing.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readFileSync } from 'node:fs';
import { textOf } from './operator.ts';
import { textOfReport } from './report.ts';
import { runChaos, scheduleOf, type ChaosOptions } from './run-chaos.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    minutes: { type: 'string', default: '4' },
    clients: { type: 'string', default: '300' },
    nodes: { type: 'string', default: '6' },
    balancers: { type: 'string', default: '3' },
    folder: { type: 'string' },
    quiet: { type: 'boolean', default: false },
    schedule: { type: 'boolean', default: false },
  },
});

function optionsOf(): ChaosOptions {
  const seed = numberOf('seed');
  return {
    seed,
    forMs: numberOf('minutes') * 60_000,
    clients: numberOf('clients'),
    nodes: numberOf('nodes'),
    balancers: numberOf('balancers'),
    folder: values.folder ?? join('bench-results', 'chaos', `seed-${seed}`),
    isQuiet: values.quiet,
  };
}

function numberOf(name: 'seed' | 'minutes' | 'clients' | 'nodes' | 'balancers'): number {
  const number = Number(values[name]);
  if (!Number.isFinite(number) || number < 0) throw new Error(`--${name} ${values[name]} is no number`);
  return number;
}

function printSchedule(options: ChaosOptions): void {
  const { faults, words } = scheduleOf(options);
  const rows = [
    ...faults.map(({ atMs, action, pick, lastsMs }) => ({
      atMs,
      text: `${action} ${pick.toFixed(3)} for ${lastsMs} ms`,
    })),
    ...words.map(({ atMs, word, via }) => ({ atMs, text: `operator ${via.toFixed(3)}: ${textOf(word)}` })),
  ];
  for (const { atMs, text } of rows.toSorted((a, b) => a.atMs - b.atMs))
    process.stdout.write(`${(atMs / 1000).toFixed(1).padStart(7)} s  ${text}\n`);
}

async function main(): Promise<void> {
  const options = optionsOf();
  if (values.schedule) return printSchedule(options);
  rmSync(options.folder, { recursive: true, force: true });
  mkdirSync(options.folder, { recursive: true });
  const report = await runChaos(options);
  const story = readFileSync(join(options.folder, 'journal.txt'), 'utf8').trimEnd().split('\n');
  const text = textOfReport(report, story);
  writeFileSync(join(options.folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(options.folder, 'report.txt'), `${text}\n`);
  process.stdout.write(`\n${text}\n`);
  process.exitCode = report.isKept ? 0 : 1;
}

// The fleet ends with the process, however that ends.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130));
await main();
// Timers of clients that would come back hold nothing up.
process.exit();
