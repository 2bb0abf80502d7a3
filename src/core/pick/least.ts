// The node with the lowest score. Herds between reports where several balancers choose; here as a baseline.
import { liveScore } from '../assess.ts';
import type { Rng } from '../rng.ts';
import { lowest } from './candidate.ts';
import type { Picker } from './picker.ts';

export function least(rng: Rng): Picker {
  return (assessment, exclude) =>
    lowest(assessment, exclude, {
      numberOf: (index) => liveScore(assessment, index),
      startAt: Math.floor(rng.next() * assessment.snapshot.nodes.length),
    });
}
