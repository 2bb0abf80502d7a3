// The default picker: arrivals follow the shares, as evenly in time as they can.
import { liveScore, type Assessment } from '../assess.ts';
import type { Rng } from '../rng.ts';
import { isCandidate, lowest, mostDraws } from './candidate.ts';
import type { Exclude, Picker } from './picker.ts';
import { perAssessment } from './per-assessment.ts';
import { findIn, runningSums } from './running-sums.ts';

// 1 ÷ golden ratio: multiples of it, taken modulo 1, are the most evenly spread sequence there is (discrepancy
// O(log n ÷ n), Kuipers and Niederreiter 1974), so shares are met within a few picks where dice need hundreds.
const stride = 0.6180339887498949;

export function waterfill(rng: Rng): Picker {
  let point = rng.next();
  const sumsOf = perAssessment(({ share }) => runningSums(share));
  return (assessment, exclude) => {
    const sums = sumsOf(assessment);
    for (let draw = 0; draw < mostDraws; draw += 1) {
      point = (point + stride) % 1;
      const index = findIn(sums, point);
      if (index !== -1 && isCandidate(assessment, index, exclude)) return index;
    }
    return fallback(assessment, exclude);
  };
}

/** What holds the shares is excluded: the lowest of the rest. */
function fallback(assessment: Assessment, exclude: Exclude): number {
  return lowest(assessment, exclude, { numberOf: (index) => liveScore(assessment, index), startAt: 0 });
}
