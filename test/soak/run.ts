// `npm run soak -- --minutes N --seed N`: clients that come, talk, stall, break off and leave for as long as that, and
// whether the balancer is afterwards what it was before. Ends with 1 when something did not hold, and says what.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { textOfReport } from './report.ts';
import { runSoak, type SoakOptions } from './run-soak.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    workers: { type: 'string', default: '0' },
    form: { type: 'string', default: 'fast' },
    nodes: { type: 'string', default: '4' },
    clients: { type: 'string', default: '100' },
    out: { type: 'string', default: 'bench-results/soak.json' },
  },
});

function optionsOf(): SoakOptions {
  const { form } = values;
  if (form !== 'fast' && form !== 'plain') throw new Error(`--form ${form} is neither fast nor plain`);
  return {
    seed: numberOf('seed'),
    minutes: numberOf('minutes'),
    workers: numberOf('workers'),
    form,
    nodes: numberOf('nodes'),
    seats: numberOf('clients'),
  };
}

function numberOf(name: 'minutes' | 'seed' | 'workers' | 'nodes' | 'clients'): number {
  const number = Number(values[name]);
  if (!Number.isFinite(number) || number < 0) throw new Error(`--${name} ${values[name]} is no number`);
  return number;
}

async function main(): Promise<void> {
  const tell = (line: string) => void process.stdout.write(`${line}\n`);
  const report = await runSoak(optionsOf(), tell);
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`);
  tell(`\n${textOfReport(report)}`);
  process.exitCode = report.isKept ? 0 : 1;
}

// The balancer ends with this process, however that ends.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130));
await main();
process.exit();
