// Which node a connection gets: the one it was on, else the picker's choice, within what admission allows.
import { burstOf } from '../../core/admission/token-bucket.ts';
import { isFilled } from '../../core/admission/room.ts';
import type { Assessment } from '../../core/assess.ts';
import { slowStartPart } from '../../core/guard.ts';
import type { NodeView } from '../../core/snapshot.ts';
import type { Policy } from '../../policy/policy.ts';
import { keptIndex } from './kept-node.ts';
import type { PoolState } from './pool-state.ts';
import type { PlaceRequest } from './ports.ts';

/** No node may take it, or none may now. */
export const noNode = -1;
/** The node that it belongs to may take it, but not now; others behind it may be luckier. */
export const ownNodeBusy = -2;

/** The node for what admission does not count: `noNode` when none may take it. */
export function chooseAny(pool: PoolState, assessment: Assessment, request: PlaceRequest): number {
  const kept = keptIndex(pool, assessment, request);
  if (kept !== -1) return kept;
  return pool.picker(assessment, (index) => isOut(assessment, request, index));
}

/**
 * The node for a connection that admission counts, with a token of the pool (a retry has paid before) and of the node
 * taken; else `noNode` or `ownNodeBusy`, and nothing is taken.
 */
export function chooseAdmitted(pool: PoolState, request: PlaceRequest, nowMs: number): number {
  const { admission, ownPart: policy } = pool;
  const isRetry = request.excluded.size > 0;
  if (!isRetry && !admission.hasToken(nowMs, policy.admit)) return noNode;
  const assessment = pool.assessment(nowMs);
  const kept = keptIndex(pool, assessment, request);
  if (kept === -1) {
    const index = pickWithin(pool, request, nowMs);
    if (index !== noNode) takeTokens(pool, assessment.snapshot.nodes[index], isRetry);
    return index;
  }
  // Only its own node has its session, so the level does not hold it; how fast the node takes clients in does.
  const node = assessment.snapshot.nodes[kept];
  if (node === undefined || !hasConnectToken(node, policy, nowMs)) return ownNodeBusy;
  takeTokens(pool, node, isRetry);
  return kept;
}

/** What waiting can hope for: `some` node may take it, all that could are `full`, or there is `none`. */
export function prospectOf(assessment: Assessment, request: PlaceRequest): 'some' | 'full' | 'none' {
  const { snapshot, ineligible } = assessment;
  let prospect: 'full' | 'none' = 'none';
  for (const [index, node] of snapshot.nodes.entries()) {
    const reason = ineligible[index];
    if (reason === undefined && !isOut(assessment, request, index)) return 'some';
    if ((reason === undefined || reason === 'full') && !request.excluded.has(node.id)) prospect = 'full';
  }
  return prospect;
}

/** New connections per second that the eligible nodes take together, slow start included; 0 when none is eligible. */
export function connectRateOf(
  { snapshot, ineligible }: Assessment,
  { place }: Policy,
  nowMs: number,
): number {
  let sum = 0;
  snapshot.nodes.forEach((node, index) => {
    if (ineligible[index] === undefined) sum += connectRate(node, place, nowMs);
  });
  return sum;
}

/** The picker's choice among nodes with a token and room below the level, or above it where the pool yields. */
function pickWithin(pool: PoolState, request: PlaceRequest, nowMs: number): number {
  const { admission, ownPart: policy } = pool;
  const assessment = pool.assessment(nowMs);
  const { admit } = policy;
  let level = admit.fillTo;
  const exclude = (index: number) => {
    const node = assessment.snapshot.nodes[index];
    return (
      node === undefined ||
      isOut(assessment, request, index) ||
      isFilled(assessment, index, level) ||
      !hasConnectToken(node, policy, nowMs)
    );
  };
  // Nobody had room by this very assessment: looking at every node again for each who waits would find the same.
  if (admission.roomlessIn !== assessment) {
    const index = pool.picker(assessment, exclude);
    if (index !== noNode) {
      admission.noteRoom(nowMs, true, admit);
      return index;
    }
    if (!isRoomless(assessment, request, admit.fillTo)) return noNode;
  }
  // What one connection has tried is its own story: the pool may have room where it failed.
  if (request.excluded.size === 0) {
    admission.roomlessIn = assessment;
    admission.noteRoom(nowMs, false, admit);
  }
  if (!admission.isOverfilled) return noNode;
  level = Infinity;
  return pool.picker(assessment, exclude);
}

/** Every node that could take it is at the level or above; false when there is none to begin with. */
function isRoomless(assessment: Assessment, request: PlaceRequest, level: number): boolean {
  let candidates = 0;
  for (let index = 0; index < assessment.snapshot.nodes.length; index += 1) {
    if (assessment.ineligible[index] !== undefined || isOut(assessment, request, index)) continue;
    if (!isFilled(assessment, index, level)) return false;
    candidates += 1;
  }
  return candidates > 0;
}

function takeTokens(
  { admission, ownPart: policy }: PoolState,
  node: NodeView | undefined,
  isRetry: boolean,
): void {
  if (!isRetry) admission.takeToken(policy.admit);
  node?.counters.connects.take();
}

function connectRate(node: NodeView, place: Policy['place'], nowMs: number): number {
  return place.connectRatePerSecond * slowStartPart(node, nowMs, place.slowStartMs);
}

function hasConnectToken(node: NodeView, { place, admit }: Policy, nowMs: number): boolean {
  const perSecond = connectRate(node, place, nowMs);
  return node.counters.connects.hasToken(nowMs, perSecond, burstOf(perSecond, admit.burstMs));
}

function isOut({ snapshot }: Assessment, { excluded }: PlaceRequest, index: number): boolean {
  const node = snapshot.nodes[index];
  // Room is looked at live: it can run out between two assessments.
  return node === undefined || excluded.has(node.id) || node.counters.connections >= node.maxConnections;
}
