// The control as routes ask for it: where there is none, what needs it says so.
import { HeraldError } from '../../core/error.ts';
import type { Control } from '../control/ports.ts';

/** The control, or HERALD_NOT_AVAILABLE; `what` begins the sentence. */
export function needControl(control: Control | undefined, what: string): Control {
  if (control !== undefined) return control;
  throw new HeraldError(
    'HERALD_NOT_AVAILABLE',
    `${what}: this balancer was started without its control loops`,
  );
}
