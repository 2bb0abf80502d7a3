// When a node that nobody configured is no more.
import type { NodeRecord } from './node-record.ts';

// A registered node that is down and silent for this long, with nothing open, is forgotten.
const forgetAfterMs = 60_000;

/** True for a registered node with nothing open that has taken its leave, or is down and long silent. */
export function isForgettable(node: NodeRecord, nowMs: number): boolean {
  if (node.origin === 'static' || node.counters.connections > 0) return false;
  if (node.hasLeft) return true;
  const silentMs = nowMs - (node.load?.sampledAtMs ?? node.joinedAtMs);
  return node.downReason(nowMs) !== '' && silentMs > forgetAfterMs;
}
