// Power of two choices (Mitzenmacher 2001): two different nodes at random, the lower score wins.
import { liveScore, type Assessment } from '../assess.ts';
import type { Rng } from '../rng.ts';
import { candidates, isCandidate, mostDraws } from './candidate.ts';
import type { Exclude, Picker } from './picker.ts';

export function p2c(rng: Rng): Picker {
  return (assessment, exclude) => {
    const one = draw(assessment, exclude, rng, -1);
    const other = one === -1 ? -1 : draw(assessment, exclude, rng, one);
    return other === -1 ? fromList(assessment, exclude, rng) : lowerOf(assessment, one, other);
  };
}

/** A candidate other than `not`, each as likely; -1 when luck gave none. */
function draw(assessment: Assessment, exclude: Exclude, rng: Rng, not: number): number {
  const count = assessment.snapshot.nodes.length;
  for (let drawn = 0; drawn < mostDraws; drawn += 1) {
    const index = Math.floor(rng.next() * count);
    if (index !== not && isCandidate(assessment, index, exclude)) return index;
  }
  return -1;
}

function fromList(assessment: Assessment, exclude: Exclude, rng: Rng): number {
  const found = candidates(assessment, exclude);
  if (found.length < 2) return found[0] ?? -1;
  const one = Math.floor(rng.next() * found.length);
  // Drawn from the others by stepping over the first: drawing from all and wrapping favours neighbours.
  const other = Math.floor(rng.next() * (found.length - 1));
  return lowerOf(assessment, found[one] ?? -1, found[other >= one ? other + 1 : other] ?? -1);
}

function lowerOf(assessment: Assessment, first: number, second: number): number {
  return liveScore(assessment, second) < liveScore(assessment, first) ? second : first;
}
