// `herald demo --scale`: real node processes come and go by the recommendation, and nobody is cut off.
import { paintFor } from '../cli/table.ts';
import type { DemoDeps } from './demo.ts';
import { runScaling, type ScaleRunOptions } from './scale-run.ts';
import { createScaleScenario } from './scale-scenario.ts';
import { createScaleView, renderScaleSummary, scaleFiguresOf, type ScaleFigures } from './scale-view.ts';

/** What it can be asked. */
export interface ScaleDemoOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly json: boolean;
}

/** What it needs from outside. */
export type ScaleDemoDeps = Omit<DemoDeps, 'startBalancer'> & {
  readonly startBalancer: ScaleRunOptions['startBalancer'];
};

/** Runs it. Rejects when something does not start; everything it started has ended either way. */
export async function runScaleDemo(options: ScaleDemoOptions, deps: ScaleDemoDeps): Promise<ScaleFigures> {
  const { seed, durationMs, json } = options;
  const { clock, signal, stdout, env } = deps;
  const scenario = createScaleScenario(durationMs);
  const paint = paintFor(stdout, env);
  const writeLine = (value: object) => void stdout.write(`${JSON.stringify(value)}\n`);
  const view = json
    ? { second: ({ row }: { readonly row: object }) => writeLine(row), end: () => {} }
    : createScaleView({ scenario, stdout, paint });
  const { startBalancer } = deps;
  const result = await runScaling({ seed, scenario, startBalancer, clock, signal, onSecond: view.second });
  view.end();
  const figures = scaleFiguresOf(result);
  if (json) writeLine(figures);
  else stdout.write(renderScaleSummary(figures, paint));
  return figures;
}
