// The middle of some numbers: what Herald takes where one node must not be able to pull the answer.

/** The median; the mean of the middle two for an even count; `whenEmpty` for no values. Does not change its input. */
export function median(values: ArrayLike<number>, whenEmpty: number): number {
  const sorted = new Float64Array(values).toSorted();
  const upper = sorted[sorted.length >> 1];
  if (upper === undefined) return whenEmpty;
  if (sorted.length % 2 === 1) return upper;
  return ((sorted[(sorted.length >> 1) - 1] ?? upper) + upper) / 2;
}
