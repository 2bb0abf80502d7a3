// How many arrivals per second are usual in a pool: robust against a storm that has just passed, unbiased by chance.

/** What is remembered of arrivals in which nobody was on its way back. */
export interface UsualRate {
  /** Arrivals per second of the last spans, oldest first. */
  readonly spans: readonly number[];
  /** The span that has begun. */
  readonly open: { readonly arrived: number; readonly elapsedMs: number };
}

export const nothingUsual: UsualRate = { spans: [], open: { arrived: 0, elapsedMs: 0 } };

const spanMs = 1500;
// Half a minute: a storm of up to twenty seconds leaves a quarter of the spans calm.
const keptSpans = 20;
// Of a thousand calm spans about ten are above their lower quartile by more: (2.3 + 0.7) deviations.
const chanceDeviations = 3;

/** Takes in so many arrivals, 0 or more, of so many milliseconds, above 0. */
export function learnUsual({ spans, open }: UsualRate, arrived: number, elapsedMs: number): UsualRate {
  const next = { arrived: open.arrived + arrived, elapsedMs: open.elapsedMs + elapsedMs };
  if (next.elapsedMs < spanMs) return { spans, open: next };
  const rate = (next.arrived * 1000) / next.elapsedMs;
  return { spans: [...spans, rate].slice(-keptSpans), open: nothingUsual.open };
}

/**
 * Arrivals per second, 0 or more; 0 before anything is known. The mean of the spans that chance can explain by the
 * lower quartile: the quartile itself would be too low wherever arrivals scatter, the mean of all would go on with a
 * storm that is over.
 */
export function usualPerSecond({ spans }: UsualRate): number {
  if (spans.length === 0) return 0;
  const quartile = spans.toSorted((a, b) => a - b)[Math.floor(spans.length / 4)] ?? 0;
  const spanSeconds = spanMs / 1000;
  // A count has the deviation of its root; one more, so that a rare arrival is no storm.
  const chance = (chanceDeviations * Math.sqrt(quartile * spanSeconds + 1)) / spanSeconds;
  const calm = spans.filter((each) => each <= quartile + chance);
  return calm.reduce((sum, each) => sum + each, 0) / Math.max(1, calm.length);
}
