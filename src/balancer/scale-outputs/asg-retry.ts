// Tells somebody until it is taken, five times at most, with longer and longer pauses.
import type { Clock } from '../../core/clock.ts';
import type { Rng } from '../../core/rng.ts';
import { retryDelayMs } from './delivery-backoff.ts';

const maxAttempts = 5;

/** Undefined when it was taken, else the last fault. An abort ends pauses and further tries. */
export async function untilTaken(
  tell: () => Promise<string | undefined>,
  { clock, rng, signal }: { clock: Clock; rng: Rng; signal: AbortSignal },
): Promise<string | undefined> {
  let fault = await tell();
  for (let failures = 1; fault !== undefined && failures < maxAttempts; failures++) {
    await pause(retryDelayMs(failures, rng), { clock, signal });
    if (signal.aborted) break;
    fault = await tell();
  }
  return fault;
}

function pause(delayMs: number, { clock, signal }: { clock: Clock; signal: AbortSignal }): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = () => {
      timer.cancel();
      resolve();
    };
    const timer = clock.schedule(delayMs, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    signal.addEventListener('abort', stop, { once: true });
  });
}
