// A lease that also counts what its own connection carries, for who is asked about that one.
import type { Carrier, DialFailure, Lease, PlacedNode } from '../state/ports.ts';

/** Passes every call on and adds up the counts. */
export class WatchedLease implements Lease {
  toNodeBytes = 0;
  toNodeMessages = 0;
  toClientBytes = 0;
  toClientMessages = 0;
  readonly node: PlacedNode;
  readonly #lease: Lease;

  constructor(lease: Lease) {
    this.#lease = lease;
    this.node = lease.node;
  }

  get affinity(): string | undefined {
    return this.#lease.affinity;
  }

  opened(): void {
    this.#lease.opened();
  }

  failed(reason: DialFailure): void {
    this.#lease.failed(reason);
  }

  release(): void {
    this.#lease.release();
  }

  toNode(messages: number, bytes: number): void {
    this.toNodeMessages += messages;
    this.toNodeBytes += bytes;
    this.#lease.toNode(messages, bytes);
  }

  toClient(messages: number, bytes: number): void {
    this.toClientMessages += messages;
    this.toClientBytes += bytes;
    this.#lease.toClient(messages, bytes);
  }

  carriedBy(carrier: Carrier): void {
    this.#lease.carriedBy(carrier);
  }
}
