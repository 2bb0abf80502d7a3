// `npm run simulate -- --scale`: every autoscaler in every scenario over several seeds, as tables or as JSON lines.
import { parseArgs } from 'node:util';
import { renderTable } from '../src/cli/table.ts';
import { spreadOf, type Spread } from '../src/simulate/measure.ts';
import { scaleArms } from '../src/simulate/scale/arms.ts';
import { simulateScaling, type ScaleResult } from '../src/simulate/scale/scale-run.ts';
import { scaleScenarioOf, scaleScenarios } from '../src/simulate/scale/scale-scenarios.ts';
import { readTyped, readWhole, seedRange } from './simulate-usage.ts';

const columns = [
  { figure: 'nodeHours', title: 'NODE-HOURS', digits: 1 },
  { figure: 'overNodeMinutes', title: 'NODE-MIN OVER', digits: 1 },
  { figure: 'overMinutes', title: 'MINUTES OVER', digits: 1 },
  { figure: 'disconnected', title: 'DISCONNECTED', digits: 0 },
  { figure: 'cut', title: 'CUT', digits: 0 },
  { figure: 'drained', title: 'DRAINED', digits: 0 },
  { figure: 'moved', title: 'MOVED', digits: 0 },
  { figure: 'refused', title: 'REFUSED', digits: 0 },
  { figure: 'utilization', title: 'MEAN LOAD', digits: 2 },
] as const satisfies readonly { figure: keyof ScaleResult; title: string; digits: number }[];

/** Less is better in all of these. */
const judged = ['nodeHours', 'overNodeMinutes', 'disconnected'] as const;

type Figure = (typeof columns)[number]['figure'];

/** One line of the tables, and one of `--json`. */
interface Row extends Record<Figure, Spread> {
  readonly scenario: string;
  readonly arm: string;
  readonly rebalance: boolean;
  readonly seeds: number;
  /** Seeds in which the first arm has less of it than this one, as much, and more. Of the first arm: of itself. */
  readonly beaten: Record<(typeof judged)[number], readonly [less: number, same: number, more: number]>;
}

const usage = `usage: npm run simulate -- --scale [--scenario NAME]... [--seeds N] [--rebalance] [--json]
scenarios: ${scaleScenarios.map(({ name }) => name).join(', ')}
--rebalance: connections are moved in every arm (rebalance.mode: auto)
`;

function readOptions(args: string[]) {
  const { values } = parseUsage(args);
  const seeds = readWhole('--seeds', values.seeds, seedRange);
  return { ...values, seeds, named: values.scenario?.map(scaleScenarioOf) ?? scaleScenarios };
}

function parseUsage(args: string[]) {
  const parse = () =>
    parseArgs({
      args,
      options: {
        scale: { type: 'boolean' },
        scenario: { type: 'string', multiple: true },
        seeds: { type: 'string', default: '5' },
        rebalance: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  return readTyped(parse, '--scale --help');
}

function rowOf(
  names: { scenario: string; arm: string; rebalance: boolean },
  runs: readonly ScaleResult[],
  first: readonly ScaleResult[],
): Row {
  const of = (figure: Figure) => spreadOf(runs.map((run) => run[figure]));
  const against = (figure: Figure) => {
    const signs = runs.map((run, seed) => Math.sign((first[seed]?.[figure] ?? NaN) - run[figure]));
    const count = (sign: number) => signs.filter((each) => each === sign).length;
    return [count(-1), count(0), count(1)] as const;
  };
  return {
    ...names,
    seeds: runs.length,
    nodeHours: of('nodeHours'),
    overNodeMinutes: of('overNodeMinutes'),
    overMinutes: of('overMinutes'),
    disconnected: of('disconnected'),
    cut: of('cut'),
    drained: of('drained'),
    moved: of('moved'),
    refused: of('refused'),
    utilization: of('utilization'),
    beaten: {
      nodeHours: against('nodeHours'),
      overNodeMinutes: against('overNodeMinutes'),
      disconnected: against('disconnected'),
    },
  };
}

function printTable(rows: readonly Row[]): void {
  const first = scaleArms[0]?.name ?? '';
  const lines = renderTable(
    [
      { title: 'ARM', cell: ({ arm }: Row) => arm },
      ...columns.map(({ figure, title, digits }) => ({
        title,
        cell: (row: Row) => {
          const { median, min, max } = row[figure];
          return `${median.toFixed(digits)} (${min.toFixed(digits)}..${max.toFixed(digits)})`;
        },
      })),
      {
        title: `${first.toUpperCase()} LESS/SAME/MORE`,
        cell: ({ arm, beaten }: Row) =>
          arm === first ? '' : judged.map((figure) => beaten[figure].join('/')).join(' '),
      },
    ],
    rows,
  );
  const [row] = rows;
  process.stdout.write(`\n${row?.scenario ?? ''}: median (lowest..highest seed)\n\n${lines.join('\n')}\n`);
}

/** Runs the mode with what was typed; throws HERALD_USAGE or HERALD_SCENARIO_INVALID. */
export function simulateScalingMode(args: string[]): void {
  const { seeds, json, help, named, rebalance } = readOptions(args);
  if (help) return void process.stdout.write(usage);
  for (const scenario of named) {
    let first: readonly ScaleResult[] | undefined;
    const rows = scaleArms.map((arm): Row => {
      const runs = Array.from({ length: seeds }, (_, index) =>
        simulateScaling(scenario, arm, { seed: index + 1, rebalances: rebalance }),
      );
      first ??= runs;
      const row = rowOf({ scenario: scenario.name, arm: arm.name, rebalance }, runs, first);
      if (json) process.stdout.write(`${JSON.stringify(row)}\n`);
      return row;
    });
    if (!json) printTable(rows);
  }
}
