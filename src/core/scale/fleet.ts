// How many nodes hold a load: under the target, and with reserve under saturation. Windows and steps are not here.
import type { Policy } from '../../policy/policy.ts';
import type { ScaleNode } from './scale-sample.ts';

/** A node as far as room goes. */
export type Room = Pick<ScaleNode, 'size' | 'zone'>;

/** The keys that say what is enough. */
export type EnoughRule = Pick<Policy['scale'], 'target' | 'survive' | 'surviveOf'>;

// Reports scatter by a few points: filled up to 1 by their mean, a pool that has lost a node would be over it half of
// the time. The same margin as a drain's.
const fullAt = 0.95;
// Sums of sizes that are equal must not differ by their last bits: three nodes' worth at 60 % are five, not six.
const roundingError = 1e-9;
// However much an idle node is taken to use, half of the target is left for work.
const mostIdlePart = 0.5;
// The most that a policy's `max` can say.
const mostAdded = 10_000;

/**
 * Nodes of the usual size to add to `nodes` until they hold `load`, whatever `max` says; at most 10,000. Every node that is
 * added brings its own `idle` load: work W on nodes that each use i of their target T by being there needs
 * W ÷ (T − i) nodes, not (W + i × n) ÷ T. New nodes are taken to go to the zone that has least.
 */
export function nodesToAdd(
  nodes: readonly Room[],
  need: { readonly load: number; readonly idle: number },
  rule: EnoughRule,
): number {
  const idle = Math.min(need.idle, mostIdlePart * rule.target);
  if (holds(nodes, need.load, rule)) return 0;
  const isEnough = (count: number) =>
    holds([...nodes, ...newcomers(nodes, count)], need.load + idle * count, rule);
  // A pool stands above its target for hours, within tolerance, and is looked at every few seconds: few are tried first.
  let most = 1;
  while (most < mostAdded && !isEnough(most)) most = Math.min(mostAdded, 2 * most);
  return firstTrue(most, isEnough);
}

/**
 * How many of `order`, from its start, can go so that the rest holds `load`, all of which stays. Where zones are to be
 * survived, the last node of a zone does not go.
 */
export function nodesToSpare(order: readonly Room[], load: number, rule: EnoughRule): number {
  const zones = zoneCount(order);
  const keepsZones = rule.survive > 0 && rule.surviveOf === 'zone';
  const isTooMany = (count: number) => {
    const rest = order.slice(count);
    return !holds(rest, load, rule) || (keepsZones && zoneCount(rest) < zones);
  };
  return isTooMany(0)
    ? 0
    : firstTrue(order.length + 1, (count) => count > order.length || isTooMany(count)) - 1;
}

/** False where as many zones are to be survived as there are: no number of nodes does that. */
export function canSurvive(nodes: readonly Room[], { survive, surviveOf }: EnoughRule): boolean {
  return surviveOf === 'node' || zoneCount(nodes) > survive;
}

function holds(nodes: readonly Room[], load: number, rule: EnoughRule): boolean {
  const capacity = nodes.reduce((sum, { size }) => sum + size, 0);
  if (load > rule.target * capacity * (1 + roundingError)) return false;
  if (rule.survive === 0 || !canSurvive(nodes, rule)) return true;
  return load <= fullAt * (capacity - largestLoss(nodes, rule)) * (1 + roundingError);
}

function largestLoss(nodes: readonly Room[], { survive, surviveOf }: EnoughRule): number {
  const sizes = surviveOf === 'node' ? nodes.map(({ size }) => size) : [...zoneSizes(nodes).values()];
  const largest = sizes.toSorted((a, b) => b - a).slice(0, survive);
  return largest.reduce((sum, size) => sum + size, 0);
}

function newcomers(nodes: readonly Room[], count: number): readonly Room[] {
  const zones = zoneSizes(nodes);
  return Array.from({ length: count }, () => {
    let least: { zone: string; size: number } = { zone: '', size: Infinity };
    for (const [zone, size] of zones) if (size < least.size) least = { zone, size };
    zones.set(least.zone, (zones.get(least.zone) ?? 0) + 1);
    return { size: 1, zone: least.zone };
  });
}

function zoneSizes(nodes: readonly Room[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { zone, size } of nodes) sizes.set(zone, (sizes.get(zone) ?? 0) + size);
  return sizes;
}

function zoneCount(nodes: readonly Room[]): number {
  return new Set(nodes.map(({ zone }) => zone)).size;
}

/** The first of 0..`last` for which `isTrue` holds, which then holds for all after it; `last` when it never does. */
function firstTrue(last: number, isTrue: (value: number) => boolean): number {
  let low = 0;
  let high = last;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isTrue(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
