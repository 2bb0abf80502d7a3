// The pure choice among candidates. A picker knows an assessment and chance, and nothing of connections or sockets.
import { liveScore, type Assessment } from '../assess.ts';
import type { Rng } from '../rng.ts';
import type { PickerName } from './picker-name.ts';
import { least } from './least.ts';
import { leastConnections } from './least-connections.ts';
import { p2c } from './p2c.ts';
import { random } from './random.ts';
import { roundRobin } from './round-robin.ts';
import { waterfill } from './waterfill.ts';

/** True for nodes that this connection must not get, beside the ineligible. */
export type Exclude = (index: number) => boolean;

/**
 * Chooses one eligible node of an assessment: its index, or -1 when there is none that is not excluded. When all the
 * others are excluded, a node that sheds is better than none.
 */
export type Picker = (assessment: Assessment, exclude: Exclude) => number;

const makers = { waterfill, p2c, least, leastConnections, roundRobin, random } as const satisfies Record<
  PickerName,
  (rng: Rng) => Picker
>;

/** A picker with a state of its own (a cursor, a sequence); one for each pool. */
export function createPicker(name: PickerName, rng: Rng): Picker {
  const pick = makers[name](rng);
  return (assessment, exclude) => {
    const index = pick(assessment, exclude);
    return index === -1 ? lowestShedding(assessment, exclude) : index;
  };
}

function lowestShedding(assessment: Assessment, exclude: Exclude): number {
  let best = -1;
  for (const [index, reason] of assessment.ineligible.entries()) {
    if (reason !== 'shedding' || exclude(index)) continue;
    if (best === -1 || liveScore(assessment, index) < liveScore(assessment, best)) best = index;
  }
  return best;
}
