// Any candidate, in proportion to declared capacity.
import type { Rng } from '../rng.ts';
import { candidates } from './candidate.ts';
import type { Picker } from './picker.ts';

export function random(rng: Rng): Picker {
  return (assessment, exclude) => {
    const { nodes } = assessment.snapshot;
    const found = candidates(assessment, exclude);
    const total = found.reduce((sum, index) => sum + (nodes[index]?.capacity ?? 1), 0);
    let left = rng.next() * total;
    for (const index of found) {
      left -= nodes[index]?.capacity ?? 1;
      if (left < 0) return index;
    }
    return found.at(-1) ?? -1;
  };
}
