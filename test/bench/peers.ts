// `npm run bench:peers`: six socket servers and 300 clients behind one `herald serve`, behind four that share a Redis, and
// behind four that share nothing, one after the other with the same clients. One line a second for each
// (`bench-results/peers.csv`); a table at the end. Seven minutes a seed.
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
    seconds: { type: 'string', default: '140' },
    'warm-up': { type: 'string', default: '50' },
    out: { type: 'string', default: 'bench-results' },
  },
});
const seconds = Number(values.seconds);
const warmUp = Number(values['warm-up']);

// Ctrl-C ends the run, and with it everything that it started.
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => ending.abort(new Error(signal)));

// Clients that cannot send and nodes that cannot answer are a machine without time, not a fleet out of level.
const leastAnswered = 0.9;

const arms: readonly PeersArm[] = [
  { name: 'one', balancers: 1, shares: false },
  { name: 'four apart', balancers: 4, shares: false },
  { name: 'four sharing', balancers: 4, shares: true },
];

// A second holds some 50 messages of a node: a seventh of its load is chance. Of ten seconds it is a twenty-second.
const windows = [1, 10] as const;

interface Outcome {
  readonly arm: string;
  readonly seed: number;
  /** Time-average of highest ÷ mean busy time of the nodes, over windows of so many seconds. */
  readonly imbalance: Readonly<Record<(typeof windows)[number], number>>;
  readonly clients: FleetRun['clients'];
  /** Of the messages that were planned; well below 1 where the machine could not keep up. */
  readonly answeredPart: number;
  /** Of the machine at the end: processes that run or wait for a core, over a minute. */
  readonly machineLoad: number;
}

function outcomeOf({ name }: PeersArm, seed: number, { rows, clients, answeredPart }: FleetRun): Outcome {
  const counted = rows.filter(({ second }) => second > warmUp);
  const mean = (window: number) => meanOf(ratiosOver(counted, window));
  const [machineLoad = NaN] = loadavg();
  return { arm: name, seed, imbalance: { 1: mean(1), 10: mean(10) }, clients, answeredPart, machineLoad };
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

/** One arm after the other: side by side they would take the machine's time from each other. */
async function runArm(arm: PeersArm, seed: number): Promise<Outcome> {
  const fleet = new BenchFleet(arm);
  try {
    await fleet.start();
    const run = await fleet.run({ seed, seconds }, ending.signal);
    keepRows(arm, seed, run);
    return outcomeOf(arm, seed, run);
  } finally {
    await fleet.stop();
  }
}

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
}

function spread(numbers: readonly number[]): string {
  const show = (value: number) => value.toFixed(3);
  return `${show(median(numbers, NaN))} (${show(Math.min(...numbers))}..${show(Math.max(...numbers))})`;
}

function printTable(all: readonly Outcome[]): void {
  const isWhole = (seed: number) =>
    all.every((each) => each.seed !== seed || each.answeredPart >= leastAnswered);
  const outcomes = all.filter(({ seed }) => isWhole(seed));
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
    `\nmedian (lowest..highest) of ${outcomes.length / arms.length} seeds; left out, since the machine had no time for their messages: ${(all.length - outcomes.length) / arms.length}\n${lines.join('\n')}\n`,
  );
}

const outcomes: Outcome[] = [];
for (let seed = Number(values.from); seed < Number(values.from) + Number(values.seeds); seed += 1)
  for (const arm of arms) {
    const outcome = await runArm(arm, seed);
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
    outcomes.push(outcome);
  }
printTable(outcomes);
