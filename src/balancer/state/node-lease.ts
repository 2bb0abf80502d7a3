// The receipt of one placement: dialling until opened, open until settled, settled once.
import type { NodeRecord } from './node-record.ts';
import type { PoolState } from './pool-state.ts';
import type { Carrier, DialFailure, Lease, PlacedNode } from './ports.ts';

/** What a lease asks of whoever placed. */
export interface LeaseOwner {
  nowMs(): number;
  failed(pool: PoolState, node: NodeRecord, reason: DialFailure): void;
}

interface Placed {
  readonly record: NodeRecord;
  readonly affinity?: string | undefined;
}

type Stage = 'dialling' | 'open' | 'settled';

/** Counts one connection on one node. */
export class NodeLease implements Lease {
  readonly node: PlacedNode;
  readonly affinity: string | undefined;
  readonly #owner: LeaseOwner;
  readonly #pool: PoolState;
  readonly #record: NodeRecord;
  #stage: Stage = 'dialling';
  #slot = -1;

  /** `affinity` is what came of it, undefined for none. */
  constructor(owner: LeaseOwner, pool: PoolState, { record, affinity }: Placed) {
    this.#owner = owner;
    this.affinity = affinity;
    this.#pool = pool;
    this.#record = record;
    this.node = record.identity;
    const { counters } = record;
    counters.dialling += 1;
    counters.placedTotal += 1;
    counters.messagesPerSecond += pool.table.meanMessagesPerSecond;
    pool.noteConnection(1);
  }

  opened(): void {
    if (this.#stage !== 'dialling') return;
    this.#stage = 'open';
    const { counters, passive } = this.#record;
    counters.dialling -= 1;
    counters.open += 1;
    counters.openedTotal += 1;
    passive.succeed();
    // Its rate needs no change: what is dialled counts at the mean since the last sweep, and so does a fresh slot.
    this.#slot = this.#pool.table.open(counters, this.#owner.nowMs());
  }

  failed(reason: DialFailure): void {
    if (this.#stage === 'settled') return;
    this.#settle();
    this.#record.counters.failedTotal += 1;
    this.#owner.failed(this.#pool, this.#record, reason);
  }

  release(): void {
    if (this.#stage === 'settled') return;
    this.#settle();
  }

  toNode(messages: number, bytes: number): void {
    const { counters } = this.#record;
    counters.bytesToNodeTotal += bytes;
    counters.messagesToNodeTotal += messages;
    if (this.#slot !== -1) this.#pool.table.count(this.#slot, messages, bytes);
  }

  toClient(messages: number, bytes: number): void {
    const { counters } = this.#record;
    counters.bytesToClientTotal += bytes;
    counters.messagesToClientTotal += messages;
    if (this.#slot !== -1) this.#pool.table.count(this.#slot, messages, bytes);
  }

  carriedBy(carrier: Carrier): void {
    if (this.#slot !== -1) this.#pool.table.carry(this.#slot, carrier);
  }

  #settle(): void {
    const { counters } = this.#record;
    if (this.#stage === 'open') {
      counters.open -= 1;
      this.#pool.table.close(this.#slot);
      this.#slot = -1;
    } else {
      counters.dialling -= 1;
      const expectedPerSecond = this.#pool.table.meanMessagesPerSecond;
      counters.messagesPerSecond = Math.max(0, counters.messagesPerSecond - expectedPerSecond);
    }
    this.#stage = 'settled';
    this.#pool.noteConnection(-1);
  }
}
