// The control as routes ask for it: where there is none, what needs it says so.
import { HeraldError } from '../../core/error.ts';
import type { Control, ScaleFeed } from '../control/ports.ts';

/** The control, or HERALD_NOT_AVAILABLE; `what` begins the sentence. */
export function needControl(control: Control | undefined, what: string): Control {
  return needLoops(control, what);
}

/** The recommendations, or HERALD_NOT_AVAILABLE; `what` begins the sentence. */
export function needScale(scale: ScaleFeed | undefined, what: string): ScaleFeed {
  return needLoops(scale, what);
}

function needLoops<Loops>(loops: Loops | undefined, what: string): Loops {
  if (loops !== undefined) return loops;
  throw new HeraldError(
    'HERALD_NOT_AVAILABLE',
    `${what}: this balancer was started without its control loops`,
  );
}
