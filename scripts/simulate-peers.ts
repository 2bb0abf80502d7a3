// `npm run simulate -- --peers`: one balancer beside several that share and several that do not, in every scenario.
import { parseArgs } from 'node:util';
import process from 'node:process';
import { renderTable } from '../src/cli/table.ts';
import { HeraldError } from '../src/core/error.ts';
import { spreadOf, type Spread } from '../src/simulate/measure.ts';
import { sharingArms, sharingScenarios, type SharingArm } from '../src/simulate/peers/sharing.ts';
import { simulate, type RunResult } from '../src/simulate/run.ts';
import type { Scenario } from '../src/simulate/scenario.ts';
import { writeTables } from './markdown-tables.ts';
import { readTyped, readWhole, seedRange } from './simulate-usage.ts';

const figures = ['ratio', 'deviation'] as const;
type Figure = (typeof figures)[number];

/** One arm in one scenario: a line of `--json`. */
interface Row {
  readonly scenario: string;
  readonly arm: string;
  readonly seeds: number;
  readonly figures: Readonly<Record<Figure, Spread>>;
  /** Each seed ÷ the same seed of one balancer. */
  readonly toOne: Readonly<Record<Figure, Spread>>;
}

// As the other tables of the page.
const writtenSeeds = 5;
const names = sharingScenarios().map(({ name }) => name);

const usage = `usage: npm run simulate -- --peers [--balancers N] [--scenario NAME]... [--seeds N] [--json]
       npm run simulate -- --peers --write: ${writtenSeeds} seeds, into docs/simulation.md
scenarios: ${names.join(', ')}
`;

function readOptions(args: string[]) {
  const { values } = parseUsage(args);
  if (values.write && (values.scenario ?? values.seeds ?? values.balancers) !== undefined)
    throw new HeraldError('HERALD_USAGE', '--write goes with --peers alone: it writes what the page has');
  const unknown = values.scenario?.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new HeraldError('HERALD_USAGE', `--scenario ${unknown}: one of ${names.join(', ')}`);
  const seeds = readWhole('--seeds', values.seeds ?? String(writtenSeeds), seedRange);
  const balancers = readWhole('--balancers', values.balancers ?? '4', { from: 2, to: 32 });
  const named = sharingScenarios().filter(({ name }) => values.scenario?.includes(name) ?? true);
  return { ...values, seeds, balancers, named };
}

function parseUsage(args: string[]) {
  const parse = () =>
    parseArgs({
      args,
      options: {
        peers: { type: 'boolean' },
        balancers: { type: 'string' },
        scenario: { type: 'string', multiple: true },
        seeds: { type: 'string' },
        json: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  return readTyped(parse, '--peers --help');
}

function rowsOf(scenario: Scenario, arms: readonly SharingArm[], seeds: number): Row[] {
  let one: readonly RunResult[] | undefined;
  return arms.map((arm) => {
    const runs = Array.from({ length: seeds }, (_, index) => simulate(arm.of(scenario), arm.rule, index + 1));
    const first = (one ??= runs);
    const over = (valueOf: (run: RunResult, seed: number) => number) => spreadOf(runs.map(valueOf));
    const toOne = (figure: Figure) => over((run, seed) => run[figure] / (first[seed]?.[figure] ?? NaN));
    return {
      scenario: scenario.name,
      arm: arm.name,
      seeds,
      figures: { ratio: over(({ ratio }) => ratio), deviation: over(({ deviation }) => deviation) },
      toOne: { ratio: toOne('ratio'), deviation: toOne('deviation') },
    };
  });
}

function show({ median, min, max }: Spread, form: (value: number) => string): string {
  return `${form(median)} (${form(min)}..${form(max)})`;
}

const plain = (value: number) => value.toFixed(2);
const perCent = (value: number) => (value * 100).toFixed(1);

/** Head and lines of the table of one figure: a scenario a line. */
function tableOf(figure: Figure, rows: readonly Row[]): string[][] {
  const arms = [...new Set(rows.map(({ arm }) => arm))];
  const form = figure === 'ratio' ? plain : perCent;
  const cellsOf = (scenario: string, arm: string, index: number): string[] => {
    const row = rows.find((each) => each.scenario === scenario && each.arm === arm);
    if (row === undefined) return [];
    const own = show(row.figures[figure], form);
    return index === 0 ? [own] : [own, show(row.toOne[figure], plain)];
  };
  const head = ['scenario', ...arms.flatMap((arm, index) => (index === 0 ? [arm] : [arm, '÷ one']))];
  const scenarios = [...new Set(rows.map(({ scenario }) => scenario))];
  return [
    head,
    ...scenarios.map((name) => [name, ...arms.flatMap((arm, index) => cellsOf(name, arm, index))]),
  ];
}

const titles: Readonly<Record<Figure, string>> = {
  ratio: 'max ÷ mean utilization, time-average',
  deviation: 'standard deviation ÷ mean utilization, time-average, %',
};

function printTables(rows: readonly Row[]): void {
  for (const figure of figures) {
    const [head = [], ...lines] = tableOf(figure, rows);
    const columns = head.map((title, index) => ({
      title: title.toUpperCase(),
      cell: (line: readonly string[]) => line[index] ?? '',
    }));
    process.stdout.write(`\n${titles[figure]}: median (lowest..highest seed); ÷ one: seed by seed\n\n`);
    process.stdout.write(`${renderTable(columns, lines).join('\n')}\n`);
  }
}

/** Runs the mode with what was typed; throws HERALD_USAGE. */
export function simulatePeersMode(args: string[]): void {
  const { seeds, balancers, named, json, write, help } = readOptions(args);
  if (help) return void process.stdout.write(usage);
  const arms = sharingArms(balancers);
  const rows = named.flatMap((scenario) => {
    const ofScenario = rowsOf(scenario, arms, seeds);
    if (json) for (const row of ofScenario) process.stdout.write(`${JSON.stringify(row)}\n`);
    return ofScenario;
  });
  if (!json) printTables(rows);
  if (!write) return;
  const tables = figures.map((figure) => ({ name: `peers-${figure}`, rows: tableOf(figure, rows) }));
  writeTables('simulation.md', tables);
}
