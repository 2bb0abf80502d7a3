// The pure choice among candidates. A picker knows an assessment and chance, and nothing of connections or sockets.
import type { Assessment } from '../assess.ts';
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

/** Chooses one eligible node of an assessment: its index, or -1 when there is none that is not excluded. */
export type Picker = (assessment: Assessment, exclude: Exclude) => number;

const makers = { waterfill, p2c, least, leastConnections, roundRobin, random } as const satisfies Record<
  PickerName,
  (rng: Rng) => Picker
>;

/** A picker with a state of its own (a cursor, a sequence); one for each pool. */
export function createPicker(name: PickerName, rng: Rng): Picker {
  return makers[name](rng);
}
