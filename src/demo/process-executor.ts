// Starts and stops node processes of this machine as a scaling driver asks. When to ask is the driver's business.
import type { ScaleExecutor } from '../balancer/control/ports.ts';
import type { NodeFleet } from './node-fleet.ts';

/** What every node of the fleet is like. */
interface ProcessRule {
  readonly fleet: NodeFleet;
  /** Time that one message takes. */
  readonly serviceMs: number;
}

/** The executor: `out` starts what is missing, `in` ends the victims, which have been drained before. */
export function createProcessExecutor({ fleet, serviceMs }: ProcessRule): ScaleExecutor {
  let started = 0;
  return {
    name: 'processes',
    async apply({ action, desired, victims }) {
      if (action === 'in') {
        await Promise.all(victims.map(({ id }) => fleet.stop(id)));
        return;
      }
      const missing = Math.max(0, desired - fleet.ids.length);
      const ids = Array.from({ length: missing }, () => `node-${(started += 1)}`);
      await Promise.all(ids.map((id) => fleet.start({ id, serviceMs })));
    },
  };
}
