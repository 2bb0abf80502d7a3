// The pause before another attempt. When to try is the link's matter.
import type { Rng } from '../core/rng.ts';

/**
 * Pause after so many failures in a row (1 or more), ms: doubled each time up to `maxMs`, then between half of it and
 * all of it by chance, so that peers which lost one Redis together do not come back to it together.
 */
export function pauseMs(
  failures: number,
  { firstMs, maxMs }: { readonly firstMs: number; readonly maxMs: number },
  rng: Rng,
): number {
  const fullMs = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return fullMs * (0.5 + rng.next() / 2);
}
