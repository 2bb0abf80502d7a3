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
// Long enough that five arrivals a second that are over can be told from a quiet moment.
const boundSpanMs = 6000;

/** Takes in so many arrivals, 0 or more, of so many milliseconds, above 0. */
export function learnUsual({ spans, open }: UsualRate, arrived: number, elapsedMs: number): UsualRate {
  const next = { arrived: open.arrived + arrived, elapsedMs: open.elapsedMs + elapsedMs };
  if (next.elapsedMs < spanMs) return { spans, open: next };
  const rate = (next.arrived * 1000) / next.elapsedMs;
  return { spans: [...spans, rate].slice(-keptSpans), open: nothingUsual.open };
}

/**
 * Takes in arrivals among which may be clients on their way back, `out` in all. They cannot tell what is usual, but that
 * it is no more than this: where chance does not explain so few, a storm has passed, and what it taught is forgotten.
 * Then everybody who can have come back is taken to be among them, since most clients do come back. Without it, who is
 * asked to leave just after a storm would never be seen to.
 */
export function boundUsual(usual: UsualRate, arrived: number, elapsedMs: number, out: number): UsualRate {
  const { spans, open } = usual;
  const next = { arrived: open.arrived + arrived, elapsedMs: open.elapsedMs + elapsedMs };
  if (next.elapsedMs < boundSpanMs) return { spans, open: next };
  const seconds = next.elapsedMs / 1000;
  const rate = next.arrived / seconds;
  const before = usualPerSecond(usual);
  const isOver = rate < before - chanceOf(before, seconds);
  const usualAtLeast = Math.max(0, next.arrived - out) / seconds;
  return { spans: isOver ? [usualAtLeast] : spans, open: nothingUsual.open };
}

/**
 * Somebody is on the way from now on, or nobody is any more: what has come since the last span ended is no part of the
 * next one.
 */
export function startAnew({ spans }: UsualRate): UsualRate {
  return { spans, open: nothingUsual.open };
}

/** By how much a rate seen over so many seconds may be off by chance, per second. */
function chanceOf(perSecond: number, seconds: number): number {
  // A count has the deviation of its root; one more, so that a rare arrival is no storm.
  return (chanceDeviations * Math.sqrt(perSecond * seconds + 1)) / seconds;
}

/**
 * Arrivals per second, 0 or more; 0 before anything is known. The mean of the spans that chance can explain by the
 * lower quartile: the quartile itself would be too low wherever arrivals scatter, the mean of all would go on with a
 * storm that is over.
 */
export function usualPerSecond({ spans }: UsualRate): number {
  if (spans.length === 0) return 0;
  const quartile = spans.toSorted((a, b) => a - b)[Math.floor(spans.length / 4)] ?? 0;
  const calm = spans.filter((each) => each <= quartile + chanceOf(quartile, spanMs / 1000));
  return calm.reduce((sum, each) => sum + each, 0) / Math.max(1, calm.length);
}
