// A relay that its listener knows of from its beginning to its end.
import type { Ending } from './open.ts';
import type { ProxyDeps, RelayStart, RunningRelay } from './ports.ts';

/** Starts it; its lease is released when it has ended. */
export function startTunnel(
  { open, startRelay }: Pick<ProxyDeps, 'open' | 'startRelay'>,
  start: Omit<RelayStart, 'onEnd'> & { readonly onEnd?: RelayStart['onEnd'] },
): void {
  let relay: RunningRelay | undefined;
  let isEnded = false;
  const ending: Ending = { destroy: () => relay?.stop() };
  open.add(ending);
  relay = startRelay({
    ...start,
    onEnd: (reason, totals) => {
      if (isEnded) return;
      isEnded = true;
      open.remove(ending);
      start.lease.release();
      start.onEnd?.(reason, totals);
    },
  });
}
