// A draw from nodes in proportion to a number of each: running sums, then a search by halves.

/** Each number with all before it; empty of nothing. */
export function runningSums(numbers: Float64Array): Float64Array {
  let sum = 0;
  return numbers.map((each) => (sum += each));
}

/** The first index whose running sum is above `point` (0..1) of the whole; -1 when the whole is nothing. */
export function findIn(sums: Float64Array, point: number): number {
  const total = sums[sums.length - 1] ?? 0;
  if (!(total > 0)) return -1;
  const target = point * total;
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sums[middle] ?? 0) > target) high = middle;
    else low = middle + 1;
  }
  return low;
}
