// Power of two choices (Mitzenmacher 2001): two different nodes at random, the lower score wins.
import { liveScore } from '../assess.ts';
import type { Rng } from '../rng.ts';
import { candidates } from './candidate.ts';
import type { Picker } from './picker.ts';

export function p2c(rng: Rng): Picker {
  return (assessment, exclude) => {
    const found = candidates(assessment, exclude);
    if (found.length < 2) return found[0] ?? -1;
    const one = Math.floor(rng.next() * found.length);
    // Drawn from the others by stepping over the first: drawing from all and wrapping favours neighbours.
    const other = Math.floor(rng.next() * (found.length - 1));
    const first = found[one] ?? -1;
    const second = found[other >= one ? other + 1 : other] ?? -1;
    return liveScore(assessment, second) < liveScore(assessment, first) ? second : first;
  };
}
