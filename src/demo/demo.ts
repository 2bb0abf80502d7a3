// The main job, small and whole: the same seeded traffic placed by load and by least connections.
import type { Balancer } from '../balancer/balancer.ts';
import { LiveScreen, type TextStream } from '../cli/live-screen.ts';
import { paintFor, type Paint } from '../cli/table.ts';
import type { Clock } from '../core/clock.ts';
import { DemoRun, type DemoSecond, type RunResult } from './demo-run.ts';
import { meanImbalance, type DemoRow, type DemoRule } from './imbalance.ts';
import { createScenario, notesAt, type Scenario } from './scenario.ts';
import { renderSummary, titleOf } from './summary.ts';
import { renderDemo } from './table.ts';

/** What `herald demo` can be asked. */
export interface DemoOptions {
  readonly seeds: readonly number[];
  readonly durationMs: number;
  readonly json: boolean;
}

/** What the demo needs from outside. */
export interface DemoDeps {
  readonly clock: Clock;
  readonly stdout: TextStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Starts a balancer on free loopback ports that places by this rule. */
  readonly startBalancer: (rule: DemoRule) => Promise<Balancer>;
}

/** Both rules under one seed. */
export type SeedResult = Readonly<Record<DemoRule, RunResult & { readonly imbalance: number }>> & {
  readonly seed: number;
};

/** Runs the demo. Rejects when something does not start; everything it started has ended either way. */
export async function runDemo(options: DemoOptions, deps: DemoDeps): Promise<SeedResult[]> {
  const scenario = createScenario(options.durationMs);
  const results: SeedResult[] = [];
  for (const seed of options.seeds) {
    const herald = await runRule('herald', { seed, scenario, options, deps });
    const leastConnections = await runRule('leastConnections', { seed, scenario, options, deps });
    const result = { seed, herald, leastConnections };
    results.push(result);
    if (options.json) deps.stdout.write(`${JSON.stringify(finalLine(result, options.seeds.length > 1))}\n`);
  }
  if (options.json && results.length > 1) deps.stdout.write(`${JSON.stringify(levelLine(results))}\n`);
  if (!options.json) deps.stdout.write(renderSummary(results, paintFor(deps.stdout, deps.env)));
  return results;
}

async function runRule(
  rule: DemoRule,
  run: { seed: number; scenario: Scenario; options: DemoOptions; deps: DemoDeps },
): Promise<RunResult & { imbalance: number }> {
  const { seed, scenario, options, deps } = run;
  const { clock, signal, stdout } = deps;
  const show = options.json
    ? jsonView(stdout)
    : liveView(rule, { scenario, stdout, paint: paintFor(stdout, deps.env) });
  const balancer = await deps.startBalancer(rule);
  const result = await new DemoRun({
    rule,
    seed,
    scenario,
    balancer,
    clock,
    signal,
    onSecond: show.second,
  }).run();
  show.end();
  return { ...result, imbalance: meanImbalance(result.rows) };
}

interface View {
  second(second: DemoSecond): void;
  end(): void;
}

function jsonView(stdout: TextStream): View {
  return {
    second: ({ row }) => void stdout.write(`${JSON.stringify(row)}\n`),
    end: () => {},
  };
}

// Without a terminal a line now and then shows that it lives.
const secondsPerLine = 5;

function liveView(rule: DemoRule, at: { scenario: Scenario; stdout: TextStream; paint: Paint }): View {
  const { scenario, stdout, paint } = at;
  const screen = new LiveScreen(stdout);
  const rows: DemoRow[] = [];
  return {
    second: ({ row, measured, assessment }) => {
      rows.push(row);
      const title = titleOf(rule, row.second, scenario);
      const average = meanImbalance(rows);
      const notes = notesAt(scenario, (row.second * 1000) / scenario.traffic.durationMs);
      const showShare = rule === 'herald';
      const input = { title, showShare, assessment, measured, notes, average, isWarm: row.counted };
      const lines = renderDemo(input, paint);
      screen.draw(lines);
      if (stdout.isTTY !== true && row.second % secondsPerLine === 0) stdout.write(`${lines.join('\n')}\n\n`);
    },
    end: () => {
      screen.settle();
      stdout.write('\n');
    },
  };
}

function finalLine(result: SeedResult, withSeed: boolean): object {
  const figures = {
    herald: { imbalance: result.herald.imbalance },
    leastConnections: { imbalance: result.leastConnections.imbalance },
  };
  return withSeed ? { seed: result.seed, ...figures } : figures;
}

/** The line that `npm run bench:level` ends with. */
function levelLine(results: readonly SeedResult[]): object {
  const ratios = results.map(({ herald, leastConnections }) => herald.imbalance / leastConnections.imbalance);
  const sorted = ratios.toSorted((a, b) => a - b);
  return {
    seeds: results.length,
    heraldLower: ratios.filter((ratio) => ratio < 1).length,
    medianRatio: sorted[sorted.length >> 1],
  };
}
