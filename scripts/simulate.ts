// `npm run simulate`: every rule in every scenario over several seeds, as tables or as JSON lines.
import { parseArgs } from 'node:util';
import { failureOf } from '../src/cli/fail.ts';
import { renderTable } from '../src/cli/table.ts';
import { HeraldError } from '../src/core/error.ts';
import { spreadOf, type Figures, type Spread } from '../src/simulate/measure.ts';
import { ruleOf, rules, type Rule } from '../src/simulate/rules.ts';
import { simulate, type RunResult } from '../src/simulate/run.ts';
import { scenarioOf, scenarios } from '../src/simulate/scenarios.ts';
import { writeTables } from './markdown-tables.ts';
import { simulatePeersMode } from './simulate-peers.ts';
import { simulateScalingMode } from './simulate-scaling.ts';
import { readTyped, readWhole, seedRange } from './simulate-usage.ts';

type Figure = keyof Figures | 'moved';

/** One cell of the tables, and one line of `--json`. */
interface Row extends Record<Figure, Spread> {
  readonly scenario: string;
  readonly rule: string;
  readonly isBaseline: boolean;
  readonly seeds: number;
}

const titles: readonly { figure: Figure; title: string; show: (value: number) => string }[] = [
  { figure: 'ratio', title: 'max ÷ mean utilization, time-average', show: (value) => value.toFixed(2) },
  {
    figure: 'deviation',
    title: 'standard deviation ÷ mean utilization, time-average, %',
    show: (value) => (value * 100).toFixed(1),
  },
  { figure: 'p99', title: 'p99 of node utilization, %', show: (value) => (value * 100).toFixed(0) },
  { figure: 'over90', title: 'node-time above 90 %, %', show: (value) => (value * 100).toFixed(1) },
  { figure: 'error', title: 'error of scores, %', show: (value) => (value * 100).toFixed(1) },
  { figure: 'moved', title: 'connections asked to leave', show: (value) => value.toFixed(0) },
];

const usage = `usage: npm run simulate -- [--scenario NAME]... [--rule NAME]... [--seeds N] [--json]
scenarios: ${scenarios.map(({ name }) => name).join(', ')}
rules: ${rules.map(({ name }) => `'${name}'`).join(', ')}
       npm run simulate -- --write: everything, into docs/simulation.md
       npm run simulate -- --peers [...]: several balancers that share; see --peers --help
       npm run simulate -- --scale [...]: autoscalers instead of placement; see --scale --help
`;

function spreads(runs: readonly RunResult[]): Record<Figure, Spread> {
  const of = (figure: Figure) => spreadOf(runs.map((run) => run[figure]));
  return {
    ratio: of('ratio'),
    deviation: of('deviation'),
    p99: of('p99'),
    highest: of('highest'),
    over90: of('over90'),
    error: of('error'),
    moved: of('moved'),
  };
}

function readOptions(args: string[]) {
  const { values } = parseUsage(args);
  if (values.write && (values.scenario ?? values.rule ?? values.seeds) !== undefined)
    throw new HeraldError('HERALD_USAGE', '--write goes with no other option: it writes what the page has');
  const seeds = readWhole('--seeds', values.seeds ?? '5', seedRange);
  const named = values.scenario?.map(scenarioOf) ?? scenarios;
  const chosen = values.rule?.map(ruleOf) ?? rules;
  return { seeds, json: values.json, write: values.write, help: values.help, named, chosen };
}

function parseUsage(args: string[]) {
  const parse = () =>
    parseArgs({
      args,
      options: {
        scenario: { type: 'string', multiple: true },
        rule: { type: 'string', multiple: true },
        seeds: { type: 'string' },
        json: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  return readTyped(parse, '--help');
}

type Printed = Readonly<{ rows: readonly Row[]; chosen: readonly Rule[]; columns: readonly string[] }>;

/** A table's lines: a rule, then a cell for each scenario. */
function linesOf({ figure, show }: (typeof titles)[number], { rows, chosen, columns }: Printed): string[][] {
  const cellOf = (rule: string, scenario: string): string => {
    const row = rows.find((each) => each.rule === rule && each.scenario === scenario);
    if (row === undefined || Number.isNaN(row[figure].median)) return '-';
    const { median, min, max } = row[figure];
    return `${show(median)} (${show(min)}..${show(max)})`;
  };
  return chosen.map(({ name }) => [name, ...columns.map((scenario) => cellOf(name, scenario))]);
}

function printTables(printed: Printed): void {
  const head = ['RULE', ...printed.columns.map((scenario) => scenario.toUpperCase())];
  const columns = head.map((title, index) => ({
    title,
    cell: (line: readonly string[]) => line[index] ?? '',
  }));
  for (const each of titles) {
    const lines = renderTable(columns, linesOf(each, printed));
    process.stdout.write(`\n${each.title}: median (lowest..highest seed)\n\n${lines.join('\n')}\n`);
  }
}

/** The tables of the page: without rules that have no such figure, or never anything of it. */
function writeAll({ rows, chosen, columns }: Printed): void {
  const tables = titles.map((each) => {
    const has = ({ name }: Rule) =>
      rows.some(({ rule, [each.figure]: { max } }) => rule === name && (each.figure === 'over90' || max > 0));
    const lines = linesOf(each, { rows, columns, chosen: chosen.filter(has) });
    return { name: each.figure, rows: [['rule', ...columns], ...lines] };
  });
  writeTables('simulation.md', tables);
}

function main(): void {
  const args = process.argv.slice(2);
  if (args.includes('--scale')) return simulateScalingMode(args);
  if (args.includes('--peers')) return simulatePeersMode(args);
  const { seeds, json, write, help, named, chosen } = readOptions(args);
  if (help) return void process.stdout.write(usage);
  const rows = named.flatMap((scenario) =>
    chosen.map((rule): Row => {
      const runs = Array.from({ length: seeds }, (_, index) => simulate(scenario, rule, index + 1));
      const row = {
        scenario: scenario.name,
        rule: rule.name,
        isBaseline: rule.isBaseline,
        seeds,
        ...spreads(runs),
      };
      if (json) process.stdout.write(`${JSON.stringify(row)}\n`);
      return row;
    }),
  );
  const printed = { rows, chosen, columns: named.map(({ name }) => name) };
  if (!json) printTables(printed);
  if (write) writeAll(printed);
}

try {
  main();
} catch (error) {
  const { code, message } = failureOf(error, new AbortController().signal);
  process.stderr.write(`${message}\n`);
  process.exitCode = code;
}
