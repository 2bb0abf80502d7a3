// The default picker: arrivals follow the shares, as evenly in time as they can.
import { liveScore, type Assessment } from '../assess.ts';
import type { Rng } from '../rng.ts';
import { isCandidate, lowest } from './candidate.ts';
import type { Exclude, Picker } from './picker.ts';

// 1 ÷ golden ratio: multiples of it, taken modulo 1, are the most evenly spread sequence there is (discrepancy
// O(log n ÷ n), Kuipers and Niederreiter 1974), so shares are met within a few picks where dice need hundreds.
const stride = 0.6180339887498949;
// A draw that hits an excluded node is drawn again this often before the shares are given up.
const draws = 8;

export function waterfill(rng: Rng): Picker {
  let point = rng.next();
  let cumulated: { of: Assessment; sums: Float64Array } | undefined;
  return (assessment, exclude) => {
    if (cumulated?.of !== assessment) cumulated = { of: assessment, sums: cumulate(assessment.share) };
    for (let draw = 0; draw < draws; draw += 1) {
      point = (point + stride) % 1;
      const index = find(cumulated.sums, point);
      if (index !== -1 && isCandidate(assessment, index, exclude)) return index;
    }
    return fallback(assessment, exclude);
  };
}

function cumulate(share: Float64Array): Float64Array {
  let sum = 0;
  return share.map((each) => (sum += each));
}

/** The first index whose running sum is above `point`; -1 when nothing has a share. */
function find(sums: Float64Array, point: number): number {
  const total = sums.at(-1) ?? 0;
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

/** What holds the shares is excluded: the lowest of the rest. */
function fallback(assessment: Assessment, exclude: Exclude): number {
  return lowest(assessment, exclude, { numberOf: (index) => liveScore(assessment, index), startAt: 0 });
}
