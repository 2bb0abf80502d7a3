// The orders of one rebalance, on the side of the leader that gives them: which are not answered yet, and what the others
// say that they have done. What to order is planned in core/rebalance.
import type { Clock } from '../../../core/clock.ts';
import type { OthersView, PeerShare, PlannedOrder, ToldShed } from '../../../core/rebalance/others.ts';
import type { PartNode, PartWord } from '../../../protocol/order-words.ts';
import type { Fleet } from './fleet.ts';
import type { OrderCounts } from './order-counts.ts';

/** What it is made with. */
export interface OrderLedgerDeps {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly counts: OrderCounts;
  readonly pool: string;
  /** Id of the operation. */
  readonly operation: string;
}

/** How orders are to be done. */
export interface OrderManner {
  readonly withinMs: number;
  readonly ratePerSecond: number;
  readonly isAutomatic: boolean;
}

interface Given {
  readonly peer: string;
  readonly node: string;
  readonly relief: number;
  readonly most: number;
  readonly atMs: number;
}

// Longer than whoever is told may take it for current (order-desk.ts), and a word's way back.
const lapseMs = 4000;
// Who had nothing to move for an order will hardly have in the next moment: the others get its part.
const idleMs = 5000;

/** Orders given, with the lifetime of their operation. */
export class OrderLedger {
  readonly #deps: OrderLedgerDeps;
  readonly #given = new Map<string, Given>();
  /** What each has said so far, by peer and node. */
  readonly #heard = new Map<string, ReadonlyMap<string, PartNode>>();
  readonly #placed = new Map<string, { readonly placed: number; readonly failed: number }>();
  readonly #idleUntilMs = new Map<string, number>();
  #told: ToldShed[] = [];
  #unspent = 0;
  #count = 0;

  constructor(deps: OrderLedgerDeps) {
    this.#deps = deps;
  }

  /** Tells each its part. */
  give(orders: readonly PlannedOrder[], manner: OrderManner): void {
    const { fleet, clock, counts, pool, operation } = this.#deps;
    for (const { peer, node, relief, heaviest, most } of orders) {
      const carried = fleet.carriedOn(pool, node).find((each) => each.peer === peer);
      if (carried?.stamp === undefined) {
        this.#unspent += most;
        continue;
      }
      this.#count += 1;
      const id = `${operation}.${this.#count}`;
      this.#given.set(id, { peer, node, relief, most, atMs: clock.nowMs() });
      counts.add(pool, 'given');
      const { epoch, stamp } = carried;
      const about = { id, operation, token: fleet.token(), node, relief, heaviest, most, ...manner };
      fleet.say(pool, { kind: 'order', to: peer, epoch, stamp, ...about });
    }
  }

  /** A balancer says what it has done. */
  hear(from: string, { nodes, done, placed, failed }: PartWord): void {
    const before = this.#heard.get(from);
    this.#heard.set(from, new Map(nodes.map((node) => [node.id, node])));
    this.#placed.set(from, { placed, failed });
    const answered = done.flatMap((id) => this.#settle(from, id) ?? []);
    for (const node of nodes) {
      const known = before?.get(node.id);
      // Fewer than before: it has begun anew, and says what it has done since.
      const since = known !== undefined && known.asked <= node.asked ? known : { asked: 0, relief: 0 };
      const connections = node.asked - since.asked;
      if (connections > 0)
        this.#told.push({
          node: node.id,
          connections,
          utilization: Math.max(0, node.relief - since.relief),
        });
      // Also for an order that had lapsed here: its connections had been given back.
      this.#unspent -= connections;
    }
    for (const { node, most } of answered) {
      this.#unspent += most;
      const asked = (nodes.find(({ id }) => id === node)?.asked ?? 0) - (before?.get(node)?.asked ?? 0);
      if (asked <= 0) this.#idleUntilMs.set(`${from} ${node}`, this.#deps.clock.nowMs() + idleMs);
    }
  }

  /** An order was refused. */
  refused(from: string, id: string): void {
    this.#unspent += this.#settle(from, id)?.most ?? 0;
  }

  /** A balancer is gone: nobody waits for it. */
  forget(peer: string): void {
    for (const [id, given] of this.#given) if (given.peer === peer) this.refused(peer, id);
    this.#heard.delete(peer);
  }

  /** What the others have asked to leave this node and has not left: utilization. */
  leavingOf(node: string): number {
    let sum = 0;
    for (const nodes of this.#heard.values()) sum += nodes.get(node)?.leaving ?? 0;
    return sum;
  }

  /** Placements of those who take part, and those that failed, since each began to. */
  get placements(): { readonly placed: number; readonly failed: number } {
    const all = [...this.#placed.values()];
    const sum = (key: 'placed' | 'failed') => all.reduce((total, each) => total + each[key], 0);
    return { placed: sum('placed'), failed: sum('failed') };
  }

  /** The others for one tick of the run; what was told since the last one is handed over with it. */
  take(sharesOf: OthersView['sharesOf']): OthersView {
    this.#lapse();
    const view = {
      sharesOf: (node) => sharesOf(node).filter((share) => this.#isFree(share, node.id)),
      reliefOrdered: (node) => this.#sum((given) => (given.node === node ? given.relief : 0)),
      ordered: this.#sum(({ most }) => most),
      told: this.#told,
      unspent: this.#unspent,
    } satisfies OthersView;
    this.#told = [];
    this.#unspent = 0;
    return view;
  }

  #sum(of: (given: Given) => number): number {
    return [...this.#given.values()].reduce((sum, given) => sum + of(given), 0);
  }

  #isFree({ peer }: PeerShare, node: string): boolean {
    if ((this.#idleUntilMs.get(`${peer} ${node}`) ?? -Infinity) > this.#deps.clock.nowMs()) return false;
    return ![...this.#given.values()].some((given) => given.peer === peer && given.node === node);
  }

  #settle(from: string, id: string): Given | undefined {
    const given = this.#given.get(id);
    if (given?.peer !== from) return undefined;
    this.#given.delete(id);
    return given;
  }

  #lapse(): void {
    const { clock, counts, pool } = this.#deps;
    for (const [id, { peer, atMs }] of this.#given) {
      if (clock.nowMs() - atMs < lapseMs) continue;
      counts.add(pool, 'lapsed');
      this.refused(peer, id);
    }
  }
}
