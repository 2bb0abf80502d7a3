// The middle of some numbers: what Herald takes where one node must not be able to pull the answer.

/** The median; the mean of the middle two for an even count; `whenEmpty` for no values. Does not change its input. */
export function median(values: ArrayLike<number>, whenEmpty: number): number {
  if (values.length === 0) return whenEmpty;
  const work = new Float64Array(values);
  const half = work.length >> 1;
  const upper = moveIntoRank(work, half);
  if (work.length % 2 === 1) return upper;
  return (work.subarray(0, half).reduce((highest, each) => Math.max(highest, each), -Infinity) + upper) / 2;
}

/**
 * Hoare's selection ("Find", 1961): the value of that rank, everything before it no higher. Sorting for four
 * medians was a third of an assessment of 1,000 nodes.
 */
function moveIntoRank(work: Float64Array, rank: number): number {
  let low = 0;
  let high = work.length - 1;
  while (low < high) {
    const { left, right } = partition(work, { low, high, pivot: work[rank] ?? NaN });
    if (right < rank) low = left;
    if (rank < left) high = right;
  }
  return work[rank] ?? NaN;
}

function partition(
  work: Float64Array,
  { low, high, pivot }: { low: number; high: number; pivot: number },
): { left: number; right: number } {
  let left = low;
  let right = high;
  while (left <= right) {
    while ((work[left] ?? NaN) < pivot) left += 1;
    while ((work[right] ?? NaN) > pivot) right -= 1;
    if (left > right) break;
    const swapped = work[left] ?? NaN;
    work[left] = work[right] ?? NaN;
    work[right] = swapped;
    left += 1;
    right -= 1;
  }
  return { left, right };
}
