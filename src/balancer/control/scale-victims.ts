// The drains of scale-ins: begun for the victims of a recommendation, found again after a restart, taken back.
import { HeraldError } from '../../core/error.ts';
import type { Victim } from '../../core/scale/recommendation.ts';
import type { AdminStateRequest, Operation } from '../../protocol/operations.ts';
import type { Scaling } from '../../protocol/scaling.ts';
import type { NodeRecord } from '../state/node-record.ts';
import type { PoolState } from '../state/pool-state.ts';
import type { Registry } from '../state/registry.ts';
import type { Control } from './ports.ts';

/** Nodes that one scale-in takes away, and the operation that empties them. */
export interface VictimDrain {
  /** Id of the operation. */
  readonly operation: string;
  readonly victims: readonly Victim[];
  /** Nodes that there should be without them; 0 where a restart has forgotten it. */
  readonly desired: number;
  readonly reason: string;
}

/** What drains of victims are begun and found with. */
export interface VictimDeps {
  readonly registry: Registry;
  readonly control: Pick<Control, 'setAdminState' | 'operations'>;
}

const auto = { by: 'auto' } as const;
// Operations survive restarts with their reason: by this one a drain of the driver is known again.
const whyPrefix = 'scale-in: ';
const longestWhy = 200;
const leastRatePerSecond = 0.01;

/**
 * Begins to drain the victims, never by force. Undefined when none of them is there and ready any more.
 * HERALD_DRAIN_REFUSED and whatever else a drain can be refused with.
 */
export function beginDrain({ registry, control }: VictimDeps, scaling: Scaling): VictimDrain | undefined {
  const pool = registry.pool(scaling.pool);
  const { nodes } = pool;
  const victims = scaling.victims
    .slice(0, scaling.nodes - scaling.desiredNodes)
    .filter(({ id }) => nodes.get(id)?.adminState === 'ready');
  if (victims.length === 0) return undefined;
  const ids = victims.map(({ id }) => id);
  const request = { adminState: 'drain' as const, why: shortWhy(scaling.reason) };
  const { operation } = control.setAdminState(ids, { ...request, ...paceOf(pool, victims) }, auto);
  if (operation === null)
    throw new HeraldError('HERALD_INTERNAL', `the drain of ${ids.join(', ')} has no operation`);
  // About these processes only: one that comes back under its old name, as a StatefulSet's does, is ready again.
  for (const id of ids) markPassing(nodes.get(id));
  const desired = scaling.nodes - victims.length;
  return { operation: operation.id, victims, desired, reason: scaling.reason };
}

/**
 * The drain of a scale-in that is under way, or over while its nodes are still there: what a driver goes on with after
 * a restart, and asks for again when nobody has stopped them. A node that somebody else has drained since is his.
 */
export function findDrain({ registry, control }: VictimDeps, pool: string): VictimDrain | undefined {
  const nodes = registry.pools.get(pool)?.nodes ?? new Map<string, NodeRecord>();
  const claimed = new Set<string>();
  for (const operation of control.operations()) {
    if (operation.kind !== 'drain' || operation.pool !== pool) continue;
    // Running ones come first, then the newest: the first drain that names a node says whose it is.
    const ids = operation.nodes.filter((id) => !claimed.has(id));
    for (const id of ids) claimed.add(id);
    const victims = ids.flatMap((id) => victimOf(nodes.get(id), id));
    if (isOurs(operation) && victims.length > 0)
      return {
        operation: operation.id,
        victims,
        desired: 0,
        reason: operation.why.slice(whyPrefix.length),
      };
  }
  return undefined;
}

/** How a drain stands. Of operations that are over the last hundred are kept: one that is forgotten is nobody's. */
export function drainState(
  { control }: VictimDeps,
  { operation }: VictimDrain,
): Pick<Operation, 'state' | 'reason'> {
  const found = control.operations().find(({ id }) => id === operation);
  return found ?? { state: 'stopped', reason: 'its operation is not kept any more' };
}

/** Those of the victims that are still there, drained and not down. */
export function remaining({ registry }: VictimDeps, pool: string, drain: VictimDrain): readonly Victim[] {
  const nodes = registry.pools.get(pool)?.nodes;
  return drain.victims.filter(({ id }) => isWaiting(nodes?.get(id)));
}

/**
 * Nodes that an operator keeps in drain or maint: they run, and do not count. A wish that left them out would have the
 * platform stop as many others.
 */
export function keptOutCount({ registry }: VictimDeps, pool: string): number {
  let count = 0;
  for (const node of registry.pools.get(pool)?.nodes.values() ?? [])
    if (node.adminState !== 'ready' && !isPassing(node) && isThere(node)) count += 1;
  return count;
}

/** Makes the victims ready again; those that are gone, or that somebody has set to something else, are let be. */
export function releaseDrain(
  deps: VictimDeps,
  { pool, drain, why }: { readonly pool: string; readonly drain: VictimDrain; readonly why: string },
): void {
  const nodes = deps.registry.pools.get(pool)?.nodes;
  const ids = drain.victims.map(({ id }) => id).filter((id) => isPassing(nodes?.get(id)));
  if (ids.length === 0) return;
  deps.control.setAdminState(ids, { adminState: 'ready', why: cut(why) }, auto);
}

/** Evenly until the deadline: nobody waits for the node, and every client that leaves by itself need not be asked. */
function paceOf(
  { policy }: PoolState,
  victims: readonly Victim[],
): Pick<AdminStateRequest, 'deadlineMs' | 'ratePerSecond'> {
  const deadlineMs = policy.scale.down.drainMs;
  const connections = victims.reduce((sum, each) => sum + each.connections, 0);
  return { deadlineMs, ratePerSecond: Math.max(leastRatePerSecond, connections / (deadlineMs / 1000)) };
}

function isOurs({ by, why, state }: Operation): boolean {
  const isLive = state === 'running' || state === 'done' || state === 'deadline';
  return isLive && by === auto.by && why.startsWith(whyPrefix);
}

function victimOf(node: NodeRecord | undefined, id: string): Victim[] {
  if (node === undefined || !isWaiting(node)) return [];
  const connections = node.counters.connections;
  return [{ id, zone: node.identity.zone, connections, reason: 'drained for a scale-in' }];
}

/** As a node's own drain, this one ends with the node's process. An operator's wish for it takes the mark away. */
function markPassing(node: NodeRecord | undefined): void {
  if (node !== undefined) node.selfDrainEpoch = node.load?.epoch ?? '';
}

function isPassing(node: NodeRecord | undefined): boolean {
  return node?.adminState === 'drain' && node.selfDrainEpoch !== undefined;
}

/** Drained, and still running. */
function isWaiting(node: NodeRecord | undefined): boolean {
  return node !== undefined && isPassing(node) && isThere(node);
}

/** Its agent has not said goodbye and its check does not fail. */
function isThere({ hasLeft, checkFailure }: NodeRecord): boolean {
  return !hasLeft && checkFailure === '';
}

function shortWhy(reason: string): string {
  return cut(`${whyPrefix}${reason}`);
}

function cut(text: string): string {
  return text.length > longestWhy ? `${text.slice(0, longestWhy - 1)}…` : text;
}
