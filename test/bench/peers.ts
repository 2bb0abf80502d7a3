// `npm run bench:peers`: six socket servers and 360 clients behind one `herald serve`, behind four that share a Redis, and
// behind four that share nothing. The three meet the same clients side by side, so that whatever else the machine does
// meets all of them. One line a second for each (`bench-results/peers.csv`); a table at the end. Three minutes a seed.
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { renderTable } from '../../src/cli/table.ts';
import { median } from '../../src/core/median.ts';
import { imbalanceOf } from '../../src/demo/imbalance.ts';
import { BenchFleet, ratiosOver, type FleetRun, type PeersArm } from './peers-fleet.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5' },
    from: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '160' },
    'warm-up': { type: 'string', default: '60' },
    out: { type: 'string', default: 'bench-results' },
  },
});
const seconds = Number(values.seconds);
const warmUp = Number(values['warm-up']);

const arms: readonly PeersArm[] = [
  { name: 'one', balancers: 1, shares: false },
  { name: 'four apart', balancers: 4, shares: false },
  { name: 'four sharing', balancers: 4, shares: true },
];

// A second holds some 60 messages of a node: an eighth of its load is chance. Of ten seconds it is a twenty-fifth.
const windows = [1, 10] as const;

interface Outcome {
  readonly arm: string;
  readonly seed: number;
  /** Time-average of highest ÷ mean busy time of the nodes, over windows of so many seconds. */
  readonly imbalance: Readonly<Record<(typeof windows)[number], number>>;
  readonly clients: FleetRun['clients'];
  /** Of the machine at the end: processes that run or wait for a core, over a minute. */
  readonly machineLoad: number;
}

function outcomeOf({ name }: PeersArm, seed: number, { rows, clients }: FleetRun): Outcome {
  const counted = rows.filter(({ second }) => second > warmUp);
  const mean = (window: number) => meanOf(ratiosOver(counted, window));
  const [machineLoad = NaN] = loadavg();
  return { arm: name, seed, imbalance: { 1: mean(1), 10: mean(10) }, clients, machineLoad };
}

/** Under titles, behind those of the runs before. */
function keepRows({ name }: PeersArm, seed: number, { rows }: FleetRun): void {
  mkdirSync(values.out, { recursive: true });
  const file = join(values.out, 'peers.csv');
  const ids = rows[0]?.nodes.map(({ id }) => id) ?? [];
  if (!existsSync(file)) writeFileSync(file, `arm,seed,second,ratio,${ids.join()}\n`);
  const lines = rows.map(({ second, nodes }) =>
    [
      name,
      seed,
      second,
      imbalanceOf(nodes)?.toFixed(3) ?? '',
      ...nodes.map((each) => each.utilization.toFixed(3)),
    ].join(),
  );
  appendFileSync(file, `${lines.join('\n')}\n`);
}

async function runSeed(seed: number): Promise<Outcome[]> {
  const fleets = arms.map((arm) => ({ arm, fleet: new BenchFleet(arm) }));
  try {
    const starts = await Promise.allSettled(fleets.map(({ fleet }) => fleet.start()));
    for (const start of starts) if (start.status === 'rejected') throw start.reason;
    const runs = fleets.map(async ({ arm, fleet }) => {
      const run = await fleet.run({ seed, seconds });
      keepRows(arm, seed, run);
      return outcomeOf(arm, seed, run);
    });
    return await Promise.all(runs);
  } finally {
    await Promise.all(fleets.map(({ fleet }) => fleet.stop()));
  }
}

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
}

function spread(numbers: readonly number[]): string {
  const show = (value: number) => value.toFixed(3);
  return `${show(median(numbers, NaN))} (${show(Math.min(...numbers))}..${show(Math.max(...numbers))})`;
}

function printTable(outcomes: readonly Outcome[]): void {
  const of = (arm: string, window: (typeof windows)[number]) =>
    outcomes.filter((each) => each.arm === arm).map(({ imbalance }) => imbalance[window]);
  const toOne = (arm: string, window: (typeof windows)[number]) =>
    of(arm, window).map((value, index) => value / (of('one', window)[index] ?? NaN));
  const lines = renderTable(
    [
      { title: 'BALANCERS', cell: ({ name }: PeersArm) => name },
      ...windows.flatMap((window) => [
        {
          title: `MAX ÷ MEAN, ${window} s`,
          cell: ({ name }: PeersArm) => spread(of(name, window)),
        },
        { title: '÷ ONE, PAIRED', cell: ({ name }: PeersArm) => spread(toOne(name, window)) },
      ]),
    ],
    arms,
  );
  process.stdout.write(
    `\nmedian (lowest..highest) of ${outcomes.length / arms.length} seeds\n${lines.join('\n')}\n`,
  );
}

const outcomes: Outcome[] = [];
for (let seed = Number(values.from); seed < Number(values.from) + Number(values.seeds); seed += 1) {
  const ofSeed = await runSeed(seed);
  for (const outcome of ofSeed) process.stdout.write(`${JSON.stringify(outcome)}\n`);
  outcomes.push(...ofSeed);
}
printTable(outcomes);
