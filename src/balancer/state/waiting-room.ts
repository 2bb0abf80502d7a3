// Clients that wait for a place, over all pools: let in as tokens and room come, refused when they have waited too long.
import type { WaitEntry, WaitRank } from '../../core/admission/wait-queue.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Waiting } from './admission.ts';
import { chooseAdmitted, connectRateOf, noNode, ownNodeBusy } from './choose-node.ts';
import type { PoolState } from './pool-state.ts';
import type { Lease, PlaceRequest, Refusal, Wait, Waiter } from './ports.ts';

// One timer for everybody. At 1,000 a second 25 clients go at a time; nobody sees 25 ms of a handshake.
const tickMs = 25;

/** What the waiting room asks of whoever places. */
export interface WaitingRoomDeps {
  readonly pools: ReadonlyMap<string, PoolState>;
  readonly clock: Clock;
  /** The lease on the node at this index of the pool's assessment; undefined when it has gone meanwhile. */
  lease(chosen: {
    readonly pool: PoolState;
    readonly request: PlaceRequest;
    readonly index: number;
    readonly nowMs: number;
  }): Lease | undefined;
}

/** The waiting room of one balancer. */
export class WaitingRoom {
  readonly #deps: WaitingRoomDeps;
  readonly #busy = new Set<PoolState>();
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(deps: WaitingRoomDeps) {
    this.#deps = deps;
  }

  /** Lets a client wait, or says why it may not. */
  enter(pool: PoolState, request: PlaceRequest, waiter: Waiter | undefined): Wait | Refusal {
    const nowMs = this.#deps.clock.nowMs();
    const rank = rankOf(request);
    if (waiter === undefined || this.#isClosed || !this.#mayWait(pool, rank, nowMs))
      return this.#refusal(pool, nowMs);
    const { queue } = pool.admission;
    const entry = queue.add({ request, waiter }, rank, nowMs);
    this.#watch(pool);
    return { cancel: () => this.#cancel(pool, entry) };
  }

  /** Refuses everybody who waits and lets nobody wait any more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    const nowMs = this.#deps.clock.nowMs();
    for (const pool of this.#busy) this.#refuseSince(pool, Infinity, nowMs);
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#busy.clear();
  }

  /** Whether there is a place in the queue that comes in time; one of lower rank makes way where it is full. */
  #mayWait(pool: PoolState, rank: WaitRank, nowMs: number): boolean {
    const { queueLength, maxWaitMs } = pool.policy.admit;
    const { admission } = pool;
    const { queue } = admission;
    if (queueLength === 0 || maxWaitMs === 0) return false;
    const perSecond = admission.perSecond(nowMs, () => this.#allowed(pool, nowMs));
    const isHopeless = !admission.isHeld && ((queue.ahead(rank) + 1) * 1000) / perSecond > maxWaitMs;
    if (isHopeless) return false;
    if (queue.size < queueLength) return true;
    const loser = queue.lastBelow(rank);
    if (loser === undefined) return false;
    this.#refuse(pool, loser, nowMs);
    return true;
  }

  #cancel(pool: PoolState, entry: WaitEntry<Waiting>): void {
    if (!pool.admission.queue.remove(entry)) return;
    pool.admission.settled('gone', entry.sinceMs, this.#deps.clock.nowMs());
  }

  #watch(pool: PoolState): void {
    this.#busy.add(pool);
    this.#timer ??= this.#deps.clock.repeat(tickMs, () => this.#tick());
  }

  #tick(): void {
    const nowMs = this.#deps.clock.nowMs();
    for (const pool of this.#busy) {
      if (this.#deps.pools.get(pool.name) !== pool) this.#refuseSince(pool, Infinity, nowMs);
      this.#serve(pool, nowMs);
      this.#refuseSince(pool, nowMs - pool.policy.admit.maxWaitMs, nowMs);
      if (!pool.admission.tick(nowMs)) this.#busy.delete(pool);
    }
    if (this.#busy.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #serve(pool: PoolState, nowMs: number): void {
    const { queue } = pool.admission;
    // Many may wait for the same node; one look at it a round is enough.
    const busyNodes = new Set<string>();
    queue.serve((entry) => {
      const { request, waiter } = entry.item;
      if (busyNodes.has(request.affinityNode) && !request.excluded.has(request.affinityNode)) return 'skip';
      const index = chooseAdmitted(pool, request, nowMs);
      // A retry has nodes that it may not have again: others may find one.
      if (index === noNode) return request.excluded.size > 0 ? 'skip' : 'stop';
      if (index === ownNodeBusy) {
        // A hash names no node before it is looked up: '' would stand for everybody.
        if (request.affinityNode !== '') busyNodes.add(request.affinityNode);
        return 'skip';
      }
      const lease = this.#deps.lease({ pool, request, index, nowMs });
      if (lease === undefined) return 'stop';
      queue.remove(entry);
      pool.admission.settled('placed', entry.sinceMs, nowMs);
      waiter.placed(lease);
      return 'taken';
    });
  }

  #refuseSince(pool: PoolState, untilMs: number, nowMs: number): void {
    pool.admission.queue.expire(untilMs, (entry) => this.#refuse(pool, entry, nowMs));
  }

  #refuse(pool: PoolState, entry: WaitEntry<Waiting>, nowMs: number): void {
    pool.admission.queue.remove(entry);
    pool.admission.settled('refused', entry.sinceMs, nowMs);
    entry.item.waiter.refused(this.#refusal(pool, nowMs));
  }

  #refusal(pool: PoolState, nowMs: number): Refusal {
    const retryAfterMs = pool.admission.refuse(nowMs, pool.policy.admit, () => this.#allowed(pool, nowMs));
    // The refusal is told of later, once, when it is over.
    if (!this.#isClosed) this.#watch(pool);
    const message = `pool '${pool.name}' takes nobody in now, and ${pool.admission.queue.size} wait`;
    return { code: 'HERALD_NOT_ADMITTED', message, retryAfterMs };
  }

  #allowed(pool: PoolState, nowMs: number): number {
    const { ratePerSecond } = pool.ownPart.admit;
    const nodes = connectRateOf(pool.assessment(nowMs), pool.ownPart, nowMs);
    return ratePerSecond === 'off' ? nodes : Math.min(ratePerSecond, nodes);
  }
}

// A hash does not tell whether its client has been here before.
function rankOf({ excluded, affinityNode }: PlaceRequest): WaitRank {
  if (excluded.size > 0) return 'retry';
  return affinityNode === '' ? 'new' : 'returning';
}
