// Any candidate, in proportion to declared capacity.
import type { Assessment } from '../assess.ts';
import type { Rng } from '../rng.ts';
import { candidates, isCandidate, mostDraws } from './candidate.ts';
import type { Exclude, Picker } from './picker.ts';
import { perAssessment } from './per-assessment.ts';
import { findIn, runningSums } from './running-sums.ts';

export function random(rng: Rng): Picker {
  const sumsOf = perAssessment(({ snapshot }) =>
    runningSums(Float64Array.from(snapshot.nodes, ({ capacity = 1 }) => capacity)),
  );
  return (assessment, exclude) => {
    const sums = sumsOf(assessment);
    // Draws that hit a candidate are in proportion among candidates; a list of them is a look at every node.
    for (let draw = 0; draw < mostDraws; draw += 1) {
      const index = findIn(sums, rng.next());
      if (index !== -1 && isCandidate(assessment, index, exclude)) return index;
    }
    return fromList(assessment, exclude, rng);
  };
}

function fromList(assessment: Assessment, exclude: Exclude, rng: Rng): number {
  const { nodes } = assessment.snapshot;
  const found = candidates(assessment, exclude);
  const total = found.reduce((sum, index) => sum + (nodes[index]?.capacity ?? 1), 0);
  let left = rng.next() * total;
  for (const index of found) {
    left -= nodes[index]?.capacity ?? 1;
    if (left < 0) return index;
  }
  return found.at(-1) ?? -1;
}
