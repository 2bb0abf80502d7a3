// Orders of the leader, on the side of whoever is told: whether an order is to be done, and doing it.
import type { Clock } from '../../../core/clock.ts';
import { chooseConnections } from '../../../core/rebalance/choose.ts';
import type { Rng } from '../../../core/rng.ts';
import type { OrderWord, PartWord } from '../../../protocol/order-words.ts';
import type { PoolState } from '../../state/pool-state.ts';
import type { DataPlane } from '../../state/ports.ts';
import type { Registry } from '../../state/registry.ts';
import type { Freezes } from '../freezes.ts';
import { movableIn } from '../movable.ts';
import type { EventFeed } from '../ports.ts';
import type { Shedder } from '../shedder.ts';
import type { Fleet } from './fleet.ts';
import type { OrderCounts, OrderOutcome } from './order-counts.ts';
import { OrderedPart, type Placements } from './ordered-part.ts';

/** What it is made with. */
export interface OrderDeskDeps {
  readonly fleet: Fleet;
  readonly registry: Registry;
  readonly dataPlane: DataPlane;
  readonly shedder: Shedder;
  readonly freezes: Freezes;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly tell: EventFeed['tell'];
  readonly counts: OrderCounts;
}

type Refusal = Extract<OrderOutcome, 'token' | 'stale' | 'frozen' | 'over'>;

// Counts are said once a second; with two slow ways that is two. What a process planned before it was paused is older.
const mostAgeMs = 3000;
const keptParts = 50;

const refusalWords = {
  token: 'somebody has led by a higher token since',
  stale: 'it stands on a view that is too old',
  frozen: 'the pool is frozen',
  over: 'its operation is over',
} as const satisfies Record<Refusal, string>;

/** Takes orders. */
export class OrderDesk {
  readonly #deps: OrderDeskDeps;
  readonly #parts = new Map<string, OrderedPart>();
  /** Operation and cause: an order comes each second. */
  readonly #told = new Set<string>();

  constructor(deps: OrderDeskDeps) {
    this.#deps = deps;
  }

  /** A word has come. Does it, says why not, or says again what was done. */
  hear(from: string, name: string, order: OrderWord): void {
    const { fleet, registry, counts } = this.#deps;
    // Whoever overhears a higher token than its own leads no more.
    if (order.to !== fleet.selfId) return fleet.see(order.token);
    if (order.epoch !== fleet.epoch) return;
    const pool = registry.pools.get(name);
    if (pool === undefined) return;
    const part = this.#parts.get(order.operation);
    if (part?.hasDone(order.id) === true) return this.#answer(part);
    const refusal = this.#refusalOf(pool, order, part);
    counts.add(name, refusal ?? 'done');
    if (refusal !== undefined) return this.#refuse(from, name, { order, refusal });
    fleet.see(order.token);
    this.#do(pool, order, part ?? this.#newPart(pool, from, order));
  }

  /** An operation is over, or who runs it is gone: no order of it is done any more. */
  end(operation: string): void {
    this.#parts.get(operation)?.end('done');
  }

  /** A balancer is gone: its operations have ended. */
  ownerGone(owner: string): void {
    for (const part of this.#parts.values()) if (part.owner === owner) part.end('stopped');
  }

  /** What is to be said of each part, with its pool; those that are settled are forgotten, oldest first. */
  words(): readonly { readonly pool: string; readonly word: PartWord }[] {
    for (const [id, part] of this.#parts)
      if (this.#parts.size > keptParts && part.isSettled) this.#parts.delete(id);
    return [...this.#parts.values()].map((part) => ({ pool: part.pool, word: this.#wordOf(part) }));
  }

  #refusalOf({ name }: PoolState, order: OrderWord, part: OrderedPart | undefined): Refusal | undefined {
    const { fleet, clock, freezes } = this.#deps;
    if (order.token < fleet.highestToken()) return 'token';
    const ageMs = clock.nowMs() - order.stamp;
    // Stamps are whole milliseconds, and one of another clock is none of ours.
    if (ageMs < -1 || ageMs > mostAgeMs) return 'stale';
    if (order.isAutomatic && freezes.isFrozen(name)) return 'frozen';
    return part === undefined || part.isRunning ? undefined : 'over';
  }

  #refuse(
    from: string,
    pool: string,
    { order, refusal }: { readonly order: OrderWord; readonly refusal: Refusal },
  ): void {
    const { fleet, tell } = this.#deps;
    const { id, operation, token, node } = order;
    const highest = fleet.highestToken();
    fleet.say(pool, { kind: 'refused', to: from, id, operation, token: highest });
    const key = `${operation} ${refusal}`;
    if (this.#told.has(key)) return;
    if (this.#told.size > keptParts) this.#told.clear();
    this.#told.add(key);
    const message = `An order of balancer '${from}' to shed was not done: ${refusalWords[refusal]}.`;
    const facts = { operation, owner: from, reason: refusal, token, highest };
    tell({ type: 'order.refused', pool, node, by: '', why: '', message, facts });
  }

  #newPart({ name }: PoolState, owner: string, { operation }: OrderWord): OrderedPart {
    const part = new OrderedPart({ operation, pool: name, owner }, this.#placements(name));
    this.#parts.set(operation, part);
    return part;
  }

  #do(pool: PoolState, order: OrderWord, part: OrderedPart): void {
    const { dataPlane, shedder, clock, rng } = this.#deps;
    const list = movableIn(dataPlane.connections(pool.name, order.node));
    const { choose } = pool.policy.rebalance;
    const { rows } = chooseConnections(list, { ...order, choose }, rng);
    const asked = new Map(rows.map((row) => [list.id[row] ?? -1, list.utilization[row] ?? 0]));
    const settled = part.take(order, asked);
    const { operation: owner, node } = order;
    const wish = {
      pool: pool.name,
      node,
      ids: [...asked.keys()],
      byMs: clock.nowMs() + order.withinMs,
      cause: 'rebalance',
      settled,
      // The one who runs it counts who is back for all.
      hears: { cameBack() {} },
      out: (count, atMs) => (count === 0 ? [] : [{ owner, atMs, nodeId: node, count, work: 1 }]),
    } as const satisfies Parameters<typeof shedder.shed>[0];
    if (asked.size > 0) shedder.shed(wish, order.ratePerSecond);
    this.#answer(part);
  }

  #answer(part: OrderedPart): void {
    this.#deps.fleet.say(part.pool, this.#wordOf(part));
  }

  #wordOf(part: OrderedPart): PartWord {
    return part.word(this.#placements(part.pool));
  }

  #placements(pool: string): Placements {
    const nodes = [...(this.#deps.registry.pools.get(pool)?.nodes.values() ?? [])];
    const sum = (key: 'placedTotal' | 'failedTotal') =>
      nodes.reduce((total, { counters }) => total + counters[key], 0);
    return { placed: sum('placedTotal'), failed: sum('failedTotal') };
  }
}
