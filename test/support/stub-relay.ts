// The simplest tunnel: bytes both ways, half-close, no frames, no idle time. The relay proper has its own suite.
import type { RelayStart, RunningRelay } from '../../src/balancer/proxy/ports.ts';
import type { Wire, WireReader } from '../../src/balancer/proxy/wire.ts';

const nothing = {
  toNodeBytes: 0,
  toNodeMessages: 0,
  toClientBytes: 0,
  toClientMessages: 0,
  durationMs: 0,
};

/** Starts a tunnel; ends it when either wire is closed. */
export function startStubRelay(start: RelayStart): RunningRelay {
  const { downstream, upstream, fromNode, fromClient } = start;
  let hasEnded = false;
  const destroy = (): void => {
    if (hasEnded) return;
    hasEnded = true;
    downstream.destroy();
    upstream.destroy();
    start.onEnd('client', nothing);
  };
  const halves = { ended: 0 };
  const flow = (from: Wire, to: Wire): WireReader => ({
    bytes: (buffer, begin, end) => {
      if (!to.send(buffer, begin, end)) from.pause();
    },
    ended: () => {
      to.end();
      if (++halves.ended === 2) destroy();
    },
    drained: () => to.resume(),
    closed: destroy,
  });
  downstream.reader = flow(downstream, upstream);
  upstream.reader = flow(upstream, downstream);
  upstream.send(fromClient, 0, fromClient.length);
  downstream.send(fromNode, 0, fromNode.length);
  if (downstream.isClosed || upstream.isClosed) destroy();
  downstream.resume();
  upstream.resume();
  return { stop: destroy };
}
