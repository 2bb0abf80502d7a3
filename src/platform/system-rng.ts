// The one place that draws unpredictable chance.
import type { Rng } from '../core/rng.ts';

/** V8's generator: fast and good enough to spread load; never for secrets. */
export function createSystemRng(): Rng {
  return { next: () => Math.random() };
}
