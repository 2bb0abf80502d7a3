// Turns what a source sees into the value of its signal: gauges as they are, counters as growth per second.
// Where the numbers come from is the sources' work. Keeps the counters of one look.
import type { SourceReadingRule } from '../../policy/agent-config.ts';
import { isWithin, shown } from '../../protocol/field-checks.ts';
import { reportFields } from '../../protocol/report-fields.ts';
import type { SourceReading } from './source.ts';

/** Numbers of one look by series; a source that has one number only calls it ''. */
export type Look = ReadonlyMap<string, number>;

/** Makes one number of several, at least one. */
export type Combine = (values: readonly number[]) => number;

/** What a signal's value is made with. */
export interface SignalValueParts {
  readonly rule: SourceReadingRule;
  readonly combine: Combine;
  /** A counter is not compared with one that was seen longer ago: the mean over an outage is no rate of now. */
  readonly maxSpanMs: number;
}

/** Takes looks in order of time. What is missing is told without naming the source. */
export interface SignalValue {
  /** The reading after this look. A look at the same instant as the last one changes nothing. */
  next(look: Look, atMs: number): SourceReading;
}

/** The ways to combine several series. `sum` starts at 0. */
export const combiners = {
  sum: (values) => values.reduce((sum, value) => sum + value, 0),
  max: (values) => values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
  mean: (values) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length),
} as const satisfies Record<'sum' | 'max' | 'mean', Combine>;

/** The number of a look with one series. */
export function single(value: number): Look {
  return new Map([['', value]]);
}

/** Makes the value of one signal. */
export function createSignalValue(parts: SignalValueParts): SignalValue {
  const { rule, combine, maxSpanMs } = parts;
  if (rule.as === 'gauge') return { next: (look) => reportable(combine([...look.values()]) * rule.scale) };
  let last: { readonly look: Look; readonly atMs: number } | undefined;
  let reading: SourceReading = { missing: 'not looked at yet' };
  return {
    next(look, atMs) {
      const before = last;
      // No time has passed: nothing to divide by, and the older counter gives the longer span next time.
      if (before !== undefined && atMs <= before.atMs) return reading;
      last = { look, atMs };
      if (before === undefined) {
        reading = { missing: 'a rate needs two looks, this was the first; the next one counts' };
        return reading;
      }
      const spanMs = atMs - before.atMs;
      reading =
        spanMs > maxSpanMs
          ? { missing: `${seconds(spanMs)} since the last look; the next one counts again` }
          : growthPerSecond(before.look, look, spanMs);
      return reading;
    },
  };

  function growthPerSecond(before: Look, look: Look, spanMs: number): SourceReading {
    const rates: number[] = [];
    for (const [series, value] of look) {
      const earlier = before.get(series);
      // New series: how much of it belongs to this span is not known.
      if (earlier === undefined) continue;
      if (value < earlier) {
        const which = series === '' ? '' : ` of ${shown(series)}`;
        const fall = `counter${which} fell from ${earlier} to ${value}`;
        return { missing: `${fall}: it was reset; the next span counts again` };
      }
      rates.push(((value - earlier) / spanMs) * 1000);
    }
    if (rates.length === 0)
      return { missing: 'no series of the last look is there any more; the next span counts' };
    return reportable(combine(rates) * rule.scale);
  }
}

/** The value if a report can carry it; -0 becomes 0. */
export function reportable(value: number): SourceReading {
  if (isWithin(value, reportFields.signal)) return { value: value + 0 };
  const { min, max } = reportFields.signal;
  return {
    missing: `the value is ${value}; a signal is a number from ${min} to ${max}`,
  };
}

/** The reading with its source named, if it is a sentence. */
export function about(subject: string, reading: SourceReading): SourceReading {
  return 'missing' in reading ? { missing: `${subject}: ${reading.missing}` } : reading;
}

/** `3.2 s`, for a message. */
export function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
