// One wish on its way to an executor: bounded in time, repeated with backoff. What is wished is pool-scaler.ts.
import type { Clock, Timer } from '../../core/clock.ts';
import type { ScaleExecutor, ScaleWish } from './ports.ts';

/** What came of one attempt. */
export type ScaleOutcome = { readonly ok: true } | { readonly ok: false; readonly error: string };

// An executor bounds its own time; this is for one that forgets to.
const longestMs = 120_000;
const firstRetryMs = 5_000;
const longestRetryMs = 300_000;

/** How long to wait after so many failures in a row (1 or more): 5 s, doubling, five minutes at most. */
export function retryAfterMs(failures: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(10, failures - 1));
}

/** Asks once. `settled` is called once, later than this returns, unless the answer was called first. */
export function requestScale(
  { executor, wish, clock }: { executor: ScaleExecutor; wish: ScaleWish; clock: Clock },
  settled: (outcome: ScaleOutcome) => void,
): () => void {
  let isOpen = true;
  let timer: Timer | undefined;
  const settle = (outcome: ScaleOutcome) => {
    if (!isOpen) return;
    isOpen = false;
    timer?.cancel();
    settled(outcome);
  };
  timer = clock.schedule(longestMs, () =>
    settle({ ok: false, error: `no answer within ${longestMs / 1000} s` }),
  );
  // Async, so that an executor that throws is one that rejects.
  const ask = async () => executor.apply(wish);
  ask().then(
    () => settle({ ok: true }),
    (error: unknown) => settle({ ok: false, error: error instanceof Error ? error.message : String(error) }),
  );
  return () => {
    isOpen = false;
    timer?.cancel();
  };
}
