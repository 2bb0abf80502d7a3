// All drains of a balancer: who may begin one, which nodes belong to which, and the tick that all share.
import { roomFor } from '../../core/drain-room.ts';
import { HeraldError } from '../../core/error.ts';
import type { DrainRoom } from '../../core/plan-drain.ts';
import type { AdminStateRequest, DrainForecast } from '../../protocol/operations.ts';
import type { OwnedOperation } from '../../protocol/peer-wishes.ts';
import type { NodeRecord } from '../state/node-record.ts';
import type { PoolState } from '../state/pool-state.ts';
import { forecast, refused } from './drain-check.ts';
import { Drain } from './drain.ts';
import type { DrainParts } from './drained-node.ts';
import type { Operations } from './operations.ts';

/** A wish to drain nodes of one pool. */
export interface DrainWish {
  readonly pool: PoolState;
  readonly nodes: ReadonlyMap<string, NodeRecord>;
  readonly request: AdminStateRequest;
  readonly by: string;
  /** The drain of another balancer that this is part of. */
  readonly operation?: OwnedOperation | undefined;
}

/** What came of it. `isNew`: it was not under way before. */
export interface DrainBegun {
  readonly drain: Drain | undefined;
  readonly forecast: DrainForecast | undefined;
  readonly isNew: boolean;
}

/** The running drains. */
export class Drains {
  readonly #parts: DrainParts;
  readonly #operations: Operations;
  readonly #ended: (drain: Drain) => void;
  readonly #running = new Set<Drain>();

  constructor(parts: DrainParts, operations: Operations, ended: (drain: Drain) => void) {
    this.#parts = parts;
    this.#operations = operations;
    this.#ended = ended;
  }

  get running(): ReadonlySet<Drain> {
    return this.#running;
  }

  /** The drain that empties this node now. */
  of(pool: string, node: string): Drain | undefined {
    return [...this.#running].find((drain) => drain.pool === pool && drain.nodes.has(node));
  }

  /**
   * Begins a drain or goes on with the one under way, whose deadline and rate become those of the request where it
   * names them; nodes that are in none join it. All nodes are made ineligible before the first connection is asked.
   * A dry run changes nothing. HERALD_DRAIN_REFUSED, HERALD_OPERATION_RUNNING.
   */
  begin(wish: DrainWish): DrainBegun {
    const { pool, nodes, request } = wish;
    if (wish.operation !== undefined && request.dryRun !== true) this.#adopt(wish, wish.operation);
    const known = this.#underWay(pool, nodes) ?? this.#find(wish.operation?.id);
    const fresh = new Set([...nodes.keys()].filter((id) => known?.nodes.has(id) !== true));
    const figures = this.#checked(wish, fresh);
    if (request.dryRun === true) return { drain: undefined, forecast: figures, isNew: false };
    const { registry } = this.#parts;
    const askedBy = { by: wish.by, why: request.why ?? '' };
    for (const id of nodes.keys()) {
      if (request.self === true) registry.beginSelfDrain(id, askedBy);
      else registry.setAdminState(id, 'drain', askedBy);
    }
    const drain = known ?? this.#newDrain(wish);
    if (request.ratePerSecond !== undefined) drain.ratePerSecond = request.ratePerSecond;
    const nowMs = this.#parts.clock.nowMs();
    for (const id of nodes.keys())
      if (fresh.has(id) || request.deadlineMs !== undefined || request.self === true)
        drain.include(id, nowMs + deadlineFor(wish, drain.nodes.get(id)?.deadlineAtMs, nowMs));
    this.#operations.revision += 1;
    return { drain, forecast: figures, isNew: known === undefined };
  }

  /** Takes a drain back that was saved. */
  restore(drain: Drain): void {
    this.#running.add(drain);
    this.#operations.add(drain);
  }

  /** Makes a drain that tells when it is over. */
  make(start: ConstructorParameters<typeof Drain>[0]): Drain {
    return new Drain(start, this.#parts, (drain) => {
      this.#running.delete(drain);
      this.#operations.end(drain);
      this.#ended(drain);
    });
  }

  /** What the answer to a node's report asks its application for; undefined for nothing. */
  takeAsk(pool: string, node: string): { count: number; byMs: number } | undefined {
    return this.of(pool, node)?.nodes.get(node)?.takeAsk();
  }

  /** Goes on with every drain. Nodes whose state is no longer `drain` are let be, whoever changed it. */
  tick(elapsedMs: number): void {
    // Those with the least time first: they take what room there is.
    const drains = [...this.#running].toSorted((a, b) => firstDeadline(a) - firstDeadline(b));
    for (const drain of drains) {
      const pool = this.#parts.registry.pools.get(drain.pool);
      if (pool === undefined) {
        drain.poolGone();
        continue;
      }
      for (const [id, { isEmpty }] of drain.nodes) {
        const state = pool.nodes.get(id)?.adminState ?? 'drain';
        // An empty node is drained, whatever is wanted of it now.
        if (state !== 'drain' && !isEmpty)
          drain.release(id, `node '${id}' was set to ${state}: what is left stays`);
      }
      if (!drain.isRunning) continue;
      drain.tick(elapsedMs, {
        room: (node) => this.#roomFor(pool, node),
        part: (node) => ownPartOf(pool, node),
      });
    }
  }

  #find(id: string | undefined): Drain | undefined {
    return id === undefined ? undefined : [...this.#running].find((drain) => drain.id === id);
  }

  /** What empties these nodes here already is part of the other balancer's drain from now on: they agree by one id. */
  #adopt({ pool, nodes }: DrainWish, { id, owner }: OwnedOperation): void {
    for (const node of nodes.keys()) {
      const known = this.of(pool.name, node);
      if (known === undefined || known.id === id) continue;
      if (known.nodes.size > 1 || this.#find(id) !== undefined) {
        known.release(node, `goes on as ${id} of balancer '${owner}'`);
        continue;
      }
      const before = known.id;
      known.become(id, owner);
      this.#operations.rename(known, before);
      this.#parts.renamed(pool.name, before, id);
    }
  }

  #underWay(pool: PoolState, nodes: ReadonlyMap<string, NodeRecord>): Drain | undefined {
    const found = new Set([...nodes.keys()].flatMap((id) => this.of(pool.name, id) ?? []));
    if (found.size <= 1) return [...found][0];
    const ids = [...found].map(({ id }) => id).join(', ');
    throw new HeraldError(
      'HERALD_OPERATION_RUNNING',
      `these nodes are in different drains (${ids}): name them in one request each`,
      { pool: pool.name },
    );
  }

  #checked({ pool, nodes, request }: DrainWish, fresh: ReadonlySet<string>): DrainForecast | undefined {
    if (fresh.size === 0) return undefined;
    const figures = forecast(pool, pool.assessment(this.#parts.clock.nowMs()), fresh);
    const isFree = request.force === true || request.self === true || request.dryRun === true;
    if (figures?.isRefused === true && !isFree) throw refused(pool.name, [...nodes.keys()], figures);
    return figures;
  }

  #newDrain({ pool, request, by, operation }: DrainWish): Drain {
    const drain = this.make({
      id: operation?.id ?? this.#operations.newId('drain'),
      owner: operation?.owner,
      pool: pool.name,
      by,
      why: request.why ?? '',
      ratePerSecond: pool.policy.drain.ratePerSecond,
    });
    this.#running.add(drain);
    this.#operations.add(drain);
    return drain;
  }

  #roomFor(pool: PoolState, node: string): DrainRoom {
    const { clock, shedder } = this.#parts;
    const returns = shedder.returns(pool.name);
    const assessment = pool.assessment(clock.nowMs());
    const room = roomFor(assessment, node, returns.usualPerSecond);
    const part = ownPartOf(pool, node);
    return {
      // Those before this one in the same tick, and other balancers, have taken of the room: their clients are out already.
      connections: (room.connections - returns.out) * part,
      connectsPerSecond: (room.connectsPerSecond * part) / this.#nodesDraining(pool.name),
      feedbackMs: pool.policy.reports.intervalMs + pool.policy.score.smoothingMs,
      leaving: shedder.room,
    };
  }

  /** Nodes among which the new connections per second are shared, 1 or more. */
  #nodesDraining(pool: string): number {
    let count = 0;
    for (const drain of this.#running) {
      if (drain.pool !== pool) continue;
      for (const { waiting } of drain.nodes.values()) count += waiting > 0 ? 1 : 0;
    }
    return Math.max(1, count);
  }
}

/** Of the connections of a node, those that are carried here, 0..1: each balancer sheds its own, at that part of the rate. */
function ownPartOf({ nodes }: PoolState, id: string): number {
  const counters = nodes.get(id)?.counters;
  if (counters === undefined || counters.peers.connections === 0) return 1;
  return counters.ownConnections / counters.connections;
}

function firstDeadline(drain: Drain): number {
  return Math.min(...[...drain.nodes.values()].map(({ deadlineAtMs }) => deadlineAtMs));
}

/** From now: the request's, else the policy's; for a node that goes away never later than either, nor than before. */
function deadlineFor({ pool, request }: DrainWish, atMs: number | undefined, nowMs: number): number {
  const own = pool.policy.drain.deadlineMs;
  const wished = request.deadlineMs ?? own;
  if (request.self !== true) return wished;
  return Math.min(wished, own, Math.max(0, (atMs ?? Infinity) - nowMs));
}
