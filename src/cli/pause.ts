// Waiting that an interruption ends.
import type { CliIo } from './io.ts';

/** Waits `delayMs`; an interruption, also one that has come already, ends the wait. So does any of `wakes`. */
export async function pause(
  { clock, signal }: Pick<CliIo, 'clock' | 'signal'>,
  delayMs: number,
  ...wakes: readonly AbortSignal[]
): Promise<void> {
  const signals = [signal, ...wakes];
  if (signals.some(({ aborted }) => aborted)) return;
  await new Promise<void>((resolve) => {
    const timer = clock.schedule(delayMs, end);
    for (const each of signals) each.addEventListener('abort', end, { once: true });
    function end(): void {
      timer.cancel();
      for (const each of signals) each.removeEventListener('abort', end);
      resolve();
    }
  });
}
