// What decides over a fleet in one arm of a comparison, and the deployment controller that carries it out in all of them.
import type { Fleet, FleetNode } from './fleet.ts';

/** One arm: how many nodes, which ones go, and how they go. */
export interface Autoscaler {
  /** Once a step; sets `fleet.desired`. */
  tick(nowMs: number): void;
  /** So many of these, in the order in which they go; may be fewer. */
  choose(candidates: readonly FleetNode[], count: number): readonly FleetNode[];
  /** Takes one away, because there are too many or because a newer one has taken its place. */
  remove(node: FleetNode, nowMs: number, why: 'surplus' | 'replaced'): void;
  /** Whether a node that still drains may be had back. Kubernetes deletes a pod for good. */
  readonly takesBack: boolean;
}

// maxSurge of a Deployment that is not told otherwise; maxUnavailable 0 instead of its 25 %, since nobody who serves
// connections that stay takes a quarter of them away before their place is ready.
const surgePart = 0.25;

/** Starts and removes nodes until there are as many as desired, all of the newest generation. Once a step. */
export function reconcile(fleet: Fleet, scaler: Autoscaler, nowMs: number): void {
  const kept = fleet.kept;
  const old = kept.filter(({ generation }) => generation < fleet.generation);
  if (old.length > 0) return rollOn(fleet, scaler, { kept, old, nowMs });
  for (let count = kept.length; count < fleet.desired; count += 1) {
    if (!scaler.takesBack || !fleet.takeBack()) fleet.start(nowMs);
  }
  if (kept.length <= fleet.desired) return;
  for (const node of scaler.choose(kept, kept.length - fleet.desired)) scaler.remove(node, nowMs, 'surplus');
}

function rollOn(
  fleet: Fleet,
  scaler: Autoscaler,
  { kept, old, nowMs }: { kept: readonly FleetNode[]; old: readonly FleetNode[]; nowMs: number },
): void {
  const most = fleet.desired + Math.ceil(fleet.desired * surgePart);
  const missing = fleet.desired - (kept.length - old.length);
  const starts = Math.min(missing, most - kept.length);
  for (let count = 0; count < starts; count += 1) fleet.start(nowMs);
  const ready = kept.filter(({ phase }) => phase === 'ready').length;
  const spare = old.filter(({ phase }) => phase === 'starting');
  for (const node of spare) scaler.remove(node, nowMs, 'replaced');
  const leaving = old.filter(({ phase }) => phase === 'ready').slice(0, Math.max(0, ready - fleet.desired));
  for (const node of leaving) scaler.remove(node, nowMs, 'replaced');
}
