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
  const { pool, downstream, upstream, fromClient, fromNode, lease, isFramed } = start;
  relay = startRelay({
    pool,
    downstream,
    upstream,
    fromClient,
    fromNode,
    lease,
    isFramed,
    idleTimeoutMs: start.idleTimeoutMs,
    stallTimeoutMs: start.stallTimeoutMs,
    onEnd: (reason, totals) => {
      if (isEnded) return;
      isEnded = true;
      open.remove(ending);
      lease.release();
      start.onEnd?.(reason, totals);
    },
  });
}
