// May these nodes be drained, and what would it do to the rest? Nothing is changed here.
import type { Assessment } from '../../core/assess.ts';
import { forecastDrain } from '../../core/drain-room.ts';
import { isInUse } from '../../core/eligibility.ts';
import { HeraldError } from '../../core/error.ts';
import type { AdminState } from '../../core/snapshot.ts';
import type { AdminStateRequest, DrainForecast } from '../../protocol/operations.ts';
import type { NodeRecord } from '../state/node-record.ts';
import type { PoolState } from '../state/pool-state.ts';
import type { Registry } from '../state/registry.ts';
import { severalPools } from './several-pools.ts';

const longestMs = 7 * 24 * 3_600_000;
const fastestPerSecond = 1_000_000;
const longestWhy = 200;

/** The nodes by their ids, all of one pool. HERALD_NODE_UNKNOWN, HERALD_ADMIN_STATE_INVALID. */
export function nodesOf(
  registry: Registry,
  ids: readonly string[],
  adminState: AdminState,
): { pool: PoolState; nodes: ReadonlyMap<string, NodeRecord> } {
  const found = ids.map((id) => ({ id, ...registry.node(id) }));
  const [first] = found;
  if (first === undefined) throw invalid('no node is named');
  const { pool } = first;
  if (found.some((each) => each.pool !== pool)) {
    const places = found.map((each) => ({ id: each.id, pool: each.pool.name }));
    throw severalPools(pool.name, places, adminState);
  }
  return { pool, nodes: new Map(found.map(({ id, node }) => [id, node])) };
}

/** Refuses what no change of admin state can mean. HERALD_ADMIN_STATE_INVALID with every problem. */
export function checkRequest(request: AdminStateRequest): void {
  const { adminState, deadlineMs, ratePerSecond, why = '', self } = request;
  const problems: string[] = [];
  if (deadlineMs !== undefined && !(deadlineMs > 0 && deadlineMs <= longestMs))
    problems.push(`deadlineMs must be above 0 (a moment ahead) and at most ${longestMs}, is ${deadlineMs}`);
  if (ratePerSecond !== undefined && !(ratePerSecond > 0 && ratePerSecond <= fastestPerSecond))
    problems.push(`ratePerSecond must be above 0 and at most ${fastestPerSecond}, is ${ratePerSecond}`);
  const onlyDrain = deadlineMs !== undefined || ratePerSecond !== undefined || self === true;
  if (adminState !== 'drain' && onlyDrain)
    problems.push(`deadlineMs, ratePerSecond and self go with 'drain' only, not with '${adminState}'`);
  if (why.length > longestWhy) problems.push(`why takes at most ${longestWhy} characters, has ${why.length}`);
  if (problems.length > 0) throw invalid(problems.join('; '));
}

/** What a drain comes to; undefined without load data and while somebody stays who may take connections. */
export function forecast(
  pool: PoolState,
  assessment: Assessment,
  drained: ReadonlySet<string>,
): DrainForecast | undefined {
  const { snapshot, ineligible } = assessment;
  const stays = snapshot.nodes.filter(({ id }, i) => isInUse(ineligible[i]) && !drained.has(id));
  const going = snapshot.nodes.filter(({ id }) => drained.has(id));
  const connections = going.reduce((sum, { counters }) => sum + counters.connections, 0);
  const places = snapshot.nodes.some(({ id }, i) => drained.has(id) && isInUse(ineligible[i]));
  const names = [...drained].join(', ');
  if (stays.length === 0) {
    const isRefused = places || connections > 0;
    const sentence = `without ${names} no node of pool '${pool.name}' may take a connection; ${connections} would have to go`;
    return { connections, utilizationBefore: 0, utilizationAfter: 0, isRefused, sentence };
  }
  const room = stays.reduce(
    (sum, node) => sum + Math.max(0, node.maxConnections - node.counters.connections),
    0,
  );
  const figures = forecastDrain(assessment, drained);
  if (figures === undefined && connections <= room) return undefined;
  const { before = 0, after = 0 } = figures ?? {};
  const move = `${connections} connections of ${names} go to ${stays.length} node${stays.length === 1 ? '' : 's'}`;
  const level = figures && `mean utilization rises from ${percent(before)} to ${percent(after)}`;
  const full = connections > room ? `maxConnections leaves room for ${room}` : undefined;
  return {
    connections,
    utilizationBefore: before,
    utilizationAfter: after,
    // A pool that is over already is no reason to keep a node that has nothing to give away.
    isRefused: (after > 1 && after > before) || full !== undefined,
    sentence: [move, level, full].filter((part) => part !== undefined).join(': '),
  };
}

/** The refusal of a drain that would hurt. */
export function refused(pool: string, nodes: readonly string[], forecast: DrainForecast): HeraldError {
  const message = `drain of ${nodes.join(', ')} refused: ${forecast.sentence}. Use force to drain all the same`;
  return new HeraldError('HERALD_DRAIN_REFUSED', message, { pool, nodes, forecast });
}

function percent(utilization: number): string {
  return `${(utilization * 100).toFixed(1)} %`;
}

function invalid(message: string): HeraldError {
  return new HeraldError('HERALD_ADMIN_STATE_INVALID', message);
}
