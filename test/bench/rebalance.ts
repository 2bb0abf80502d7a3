// `npm run bench:rebalance`: a fleet of four real socket servers gets two more, and its 600 connections stay for hours.
// One line a second for each run (`bench-results/rebalance.csv`); a table at the end. About four minutes a run.
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Balancer } from '../../src/balancer/balancer.ts';
import { renderTable } from '../../src/cli/table.ts';
import { DemoRun, type DemoSecond } from '../../src/demo/demo-run.ts';
import { imbalanceOf } from '../../src/demo/imbalance.ts';
import type { DemoNode, Scenario } from '../../src/demo/scenario.ts';
import { loadConfig } from '../../src/platform/config.ts';
import { createSilentLogger } from '../../src/platform/logger.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';
import { createSystemRng } from '../../src/platform/system-rng.ts';
import { packageVersion } from '../../src/platform/version.ts';
import type { Policy } from '../../src/policy/policy.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5' },
    from: { type: 'string', default: '1' },
    choose: { type: 'string', multiple: true, default: ['heaviest', 'random'] },
    out: { type: 'string', default: 'bench-results' },
  },
});

const clock = createSystemClock();
const demoConfig = fileURLToPath(new URL('../../config/demo/herald.yaml', import.meta.url));
const hourMs = 3_600_000;
const joinSecond = 75;
const seconds = joinSecond + 165;
const levelRatio = 1.15;
const nodeIds = ['a', 'b', 'c', 'd', 'e', 'f'];

/** What is run: which connections go first, or a fleet whose load is not its connections'. */
type Variant = Policy['rebalance']['choose'] | 'own-work' | 'off';

// 2 ms a message: four nodes are at 60 % by 1,200 messages a second, six at 40 %.
const serviceMs = 2;

function scenarioOf(variant: Variant): Scenario {
  const isOwnWork = variant === 'own-work';
  const joinsAt = isOwnWork ? 0 : joinSecond / seconds;
  const nodes: DemoNode[] = nodeIds.map((id, index) => ({
    id,
    serviceMs,
    joinsAt: index < 4 ? 0 : joinsAt,
    // A batch job begins on one node; no connection of it has anything to do with that.
    ...(isOwnWork && index === 0 && { ownWork: { from: joinSecond / seconds, part: 0.7 } }),
    note: '',
  }));
  return {
    nodes,
    traffic: {
      durationMs: seconds * 1000,
      connections: 600,
      holdMs: 8 * hourMs,
      // Where it is the node that works, its clients do little.
      messagesPerSecond: isOwnWork ? 0.5 : 2,
      sigma: 1.5,
      rampMs: 20_000,
    },
    warmUpMs: joinSecond * 1000,
  };
}

/** `socketPath`: its own, so that several runs may go side by side. */
async function startBalancer(variant: Variant, socketPath: string): Promise<Balancer> {
  const { config, policies } = await loadConfig(demoConfig, {});
  const choose = variant === 'own-work' || variant === 'off' ? 'heaviest' : variant;
  const withRebalance = [...policies].map(([name, policy]): [string, Policy] => [
    name,
    { ...policy, rebalance: { ...policy.rebalance, mode: variant === 'off' ? 'off' : 'auto', choose } },
  ]);
  const balancer = new Balancer({
    loaded: {
      config: { ...config, admin: { ...config.admin, socketPath } },
      policies: new Map(withRebalance),
    },
    clock,
    rng: createSystemRng(),
    log: createSilentLogger(),
    version: packageVersion(),
  });
  await balancer.start();
  return balancer;
}

interface Outcome {
  readonly variant: Variant;
  readonly seed: number;
  readonly before: number;
  /** Seconds from the scale-out until the mean of five seconds is below 1.15; undefined: never. */
  readonly levelAfter: number | undefined;
  readonly after: number;
  readonly highest: number;
  readonly moved: number;
  readonly trouble: string;
  readonly reason: string;
}

async function run(variant: Variant, seed: number): Promise<Outcome> {
  const home = mkdtempSync(join(tmpdir(), 'herald-rebalance-'));
  const balancer = await startBalancer(variant, join(home, 'herald.sock'));
  const lines: string[] = [];
  const ratios: number[] = [];
  let highest = 0;
  let moved = 0;
  let reason = '';
  const onSecond = ({ row, measured }: DemoSecond) => {
    const operations = balancer.control.operations();
    moved = operations.reduce((sum, { progress }) => sum + progress.total, 0);
    reason = operations.map((each) => `${each.state}: ${each.reason}`).join(' | ');
    const ratio = imbalanceOf(row.nodes) ?? NaN;
    ratios.push(ratio);
    if (row.second > joinSecond)
      highest = Math.max(highest, ...row.nodes.map(({ utilization }) => utilization));
    const utilizations = nodeIds.map((id) => measured.get(id)?.utilization.toFixed(2) ?? '');
    const second = row.second - joinSecond;
    lines.push([variant, seed, second, moved, ratio.toFixed(2), ...utilizations].join());
  };
  const signal = new AbortController().signal;
  const parts = {
    rule: 'herald',
    seed,
    scenario: scenarioOf(variant),
    balancer,
    clock,
    signal,
    onSecond,
  } as const;
  const { clients } = await new DemoRun(parts).run();
  rmSync(home, { recursive: true, force: true });
  keepRows(lines);
  return {
    variant,
    seed,
    before: meanOf(ratios.slice(joinSecond + 10, joinSecond + 30)),
    levelAfter: levelAfter(ratios.slice(joinSecond)),
    after: meanOf(ratios.slice(joinSecond + 120)),
    highest,
    moved,
    trouble: Object.entries(clients.trouble)
      .map(([what, count]) => `${what} × ${count}`)
      .join(', '),
    reason,
  };
}

/** Under titles, behind those of the runs before. */
function keepRows(lines: readonly string[]): void {
  mkdirSync(values.out, { recursive: true });
  const file = join(values.out, 'rebalance.csv');
  if (!existsSync(file)) writeFileSync(file, `choose,seed,second,moved,ratio,${nodeIds.join()}\n`);
  appendFileSync(file, `${lines.join('\n')}\n`);
}

/** Single seconds are noise: a client talks by chance. */
const window = 5;

function levelAfter(ratios: readonly number[]): number | undefined {
  const index = ratios.findIndex(
    (_, at) => at >= window && meanOf(ratios.slice(at - window, at)) < levelRatio,
  );
  return index === -1 ? undefined : index;
}

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
}

const outcomes: Outcome[] = [];
for (const variant of values.choose as Variant[])
  for (let seed = Number(values.from); seed < Number(values.from) + Number(values.seeds); seed += 1) {
    const outcome = await run(variant, seed);
    outcomes.push(outcome);
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
  }

const cell = (value: (outcome: Outcome) => string) => ({ cell: value, align: 'right' as const });
const table = renderTable(
  [
    { title: 'CHOOSE', cell: ({ variant }: Outcome) => variant },
    { title: 'SEED', ...cell(({ seed }) => String(seed)) },
    { title: 'MAX÷MEAN BEFORE', ...cell(({ before }) => before.toFixed(2)) },
    {
      title: `< ${levelRatio} AFTER`,
      ...cell(({ levelAfter: after }) => (after === undefined ? 'never' : `${after} s`)),
    },
    { title: 'AFTER 120 s', ...cell(({ after }) => after.toFixed(2)) },
    { title: 'HIGHEST', ...cell(({ highest }) => `${(highest * 100).toFixed(0)}%`) },
    { title: 'MOVED', ...cell(({ moved }) => `${moved} (${((moved / 600) * 100).toFixed(1)}%)`) },
    { title: 'TROUBLE', cell: ({ trouble }: Outcome) => trouble || '-' },
  ],
  outcomes,
);
process.stdout.write(`\n${table.join('\n')}\n`);
