// What a drain does to the rest of its pool: the room there is, and the utilization that would come of it.
import type { Assessment } from './assess.ts';
import { isInUse } from './eligibility.ts';
import { slowStartPart } from './guard.ts';
import { liveScore } from './assess.ts';

/** Room of the nodes that may take connections. */
export interface PoolRoom {
  /**
   * Connections like those of the draining node until every node with valid reports is full, 0 or more; Infinity where
   * connections cost nothing that shows, NaN without load data.
   */
  readonly connections: number;
  /** New connections per second by the guards of all eligible nodes, less the usual arrivals; 0 or more. */
  readonly connectsPerSecond: number;
}

// Reports scatter by a few points; filling up to 1 by their mean would be over it half of the time.
const fullAt = 0.95;

/**
 * The room now for what leaves `nodeId`. A connection counts as what one of that node causes on average, and not less
 * than one of the pool: the light ones may be those that have not spoken yet. A slope would not do: before anything is
 * learned it says how to level idle nodes, not what a connection costs. A node whose reports are not believed adds no
 * room: unknown is not idle.
 */
export function roomFor(assessment: Assessment, nodeId: string, usualArrivalsPerSecond: number): PoolRoom {
  const { snapshot, ineligible, evidence, slope, guards, basis } = assessment;
  const each = workEach(assessment, nodeId);
  let connections = 0;
  let connectsPerSecond = 0;
  snapshot.nodes.forEach((node, index) => {
    if (ineligible[index] !== undefined) return;
    const part = slowStartPart(node, snapshot.atMs, guards.slowStartMs);
    connectsPerSecond += guards.connectRatePerSecond * part;
    if (evidence[index] !== 'measured') return;
    const left = Math.max(0, fullAt - liveScore(assessment, index)) / (slope[index] ?? Infinity);
    const byLoad = left === 0 ? 0 : left / each;
    connections += Math.max(0, Math.min(byLoad, node.maxConnections - node.counters.connections));
  });
  return {
    connections: basis === 'load' ? connections : NaN,
    connectsPerSecond: Math.max(0, connectsPerSecond - usualArrivalsPerSecond),
  };
}

/** Work of one connection: utilization × size, 0 or more, where a node's size is 1 ÷ its slope. */
function workEach(assessment: Assessment, nodeId: string): number {
  const { snapshot, slope } = assessment;
  let poolWork = 0;
  let poolOpen = 0;
  let own = 0;
  snapshot.nodes.forEach((node, index) => {
    const work = workOf(assessment, index);
    const open = node.counters.open + node.counters.peers.connections;
    if (work === undefined || open === 0) return;
    const sized = work / (slope[index] ?? Infinity);
    poolWork += sized;
    poolOpen += open;
    if (node.id === nodeId) own = sized / open;
  });
  return Math.max(own, poolOpen === 0 ? 0 : poolWork / poolOpen);
}

/** Figures of a drain that has not begun. */
export interface DrainFigures {
  /** Connections that would have to go elsewhere. */
  readonly connections: number;
  /** Mean utilization of the nodes that stay; after it, with the work of those that go. */
  readonly before: number;
  readonly after: number;
}

/**
 * What draining these nodes, with those in `drain` already, comes to. Work counts by the size of a node, which is
 * 1 ÷ slope: what half fills a small node fills a quarter of one twice as large. Undefined without load data of the
 * nodes that stay; a node that drains without valid reports counts at their mean.
 */
export function forecastDrain(
  assessment: Assessment,
  drained: ReadonlySet<string>,
): DrainFigures | undefined {
  const { snapshot, ineligible, states, slope } = assessment;
  let size = 0;
  let load = 0;
  snapshot.nodes.forEach((node, index) => {
    const stays = isInUse(ineligible[index]) && !drained.has(node.id);
    if (!stays || states[index] !== 'valid') return;
    const each = 1 / (slope[index] ?? Infinity);
    size += each;
    load += each * (node.load?.utilization ?? 0);
  });
  if (assessment.basis !== 'load' || size <= 0) return undefined;
  const before = load / size;
  let connections = 0;
  let moved = 0;
  snapshot.nodes.forEach((node, index) => {
    if (!drained.has(node.id) && node.adminState !== 'drain') return;
    if (drained.has(node.id)) connections += node.counters.connections;
    if (node.counters.connections === 0) return;
    const work = workOf(assessment, index) ?? before;
    moved += work / (slope[index] ?? Infinity);
  });
  return { connections, before, after: before + moved / size };
}

/**
 * What a node does, all of it taken for the work of its connections; undefined without valid reports. The learned
 * intercept would be taken off, were it measured: it is extrapolated from fleets that are seldom idle, often far too
 * high, and a forecast that is too low lets a drain fill the others. Too high, it only asks for `force`.
 */
function workOf({ snapshot, states }: Assessment, index: number): number | undefined {
  const load = snapshot.nodes[index]?.load;
  return load === undefined || states[index] !== 'valid' ? undefined : load.utilization;
}
