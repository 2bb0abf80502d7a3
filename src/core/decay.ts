// Exponential forgetting, in the one form that every estimator here uses.

/**
 * Weight that a value keeps after `elapsedMs`: e^(-elapsed ÷ timeConstant). 1 for no or negative elapsed
 * time (a sample that came late forgets nothing), 0 for a time constant of 0 (no memory).
 */
export function keptWeight(elapsedMs: number, timeConstantMs: number): number {
  if (elapsedMs <= 0) return 1;
  if (timeConstantMs <= 0) return 0;
  return Math.exp(-elapsedMs / timeConstantMs);
}

/** `previous` moved towards `sample`, keeping `kept` (0..1) of it. An undefined previous value is the sample. */
export function blend(previous: number | undefined, sample: number, kept: number): number {
  return previous === undefined ? sample : previous * kept + sample * (1 - kept);
}
