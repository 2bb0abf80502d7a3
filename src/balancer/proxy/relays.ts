// Owns the open relays: one tick for all their timeouts, and their end when the process stops.
import type { Clock, Timer } from '../../core/clock.ts';
import { Relay } from './relay.ts';
import type { RelayOptions, RelayOwner } from './relay.ts';
import { Roster } from './roster.ts';

/** Timeouts of relays are minutes: looking once a second is exact enough and costs nothing per message. */
const tickMs = 1000;

/** What relays may hold together. */
export interface RelaysLimits {
  /** Bytes that may wait for slow clients; Infinity: any. */
  readonly maxWaitingBytes: number;
}

export class Relays implements RelayOwner {
  readonly #clock: Clock;
  readonly #open = new Roster<Relay>();
  readonly #timer: Timer;
  readonly #maxWaitingBytes: number;
  #waitingBytes = 0;
  #isMakingRoom = false;

  constructor(clock: Clock, { maxWaitingBytes }: RelaysLimits = { maxWaitingBytes: Infinity }) {
    this.#clock = clock;
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#timer = clock.repeat(tickMs, () => this.#tick());
  }

  /** Relays that have not ended. */
  get size(): number {
    return this.#open.size;
  }

  /** Starts relaying. The relay given back may have ended already (see `onEnd`). */
  open(options: RelayOptions): Relay {
    const relay = new Relay(options, this.#clock, this);
    this.#open.add(relay);
    relay.start(options.fromClient, options.fromNode);
    return relay;
  }

  /** Ends every relay and the tick. Idempotent. */
  stop(): void {
    this.#timer.cancel();
    for (const relay of this.#open.all()) relay.stop();
  }

  /** Bytes that wait for slow clients, an upper bound: what a client has taken of a piece is not known. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  removed(relay: Relay): void {
    this.#open.remove(relay);
  }

  waiting(bytes: number): void {
    this.#waitingBytes += bytes;
    if (this.#waitingBytes > this.#maxWaitingBytes && !this.#isMakingRoom) this.#makeRoom();
  }

  // Whoever has kept us waiting longest goes first. Looking at all is dear, so a tenth is freed at a time.
  #makeRoom(): void {
    this.#isMakingRoom = true;
    const waiting = this.#open.all().filter(({ waitsSinceMs }) => waitsSinceMs !== Infinity);
    waiting.sort((a, b) => a.waitsSinceMs - b.waitsSinceMs);
    for (const relay of waiting) {
      if (this.#waitingBytes <= 0.9 * this.#maxWaitingBytes) break;
      relay.giveUpWaiting();
    }
    this.#isMakingRoom = false;
  }

  #tick(): void {
    const nowMs = this.#clock.nowMs();
    for (const relay of this.#open.all()) relay.tick(nowMs);
  }
}
