// Owns the open relays: one tick for all their timeouts, and their end when the process stops.
import type { Clock, Timer } from '../../core/clock.ts';
import { Relay } from './relay.ts';
import type { RelayOptions } from './relay.ts';

/** Timeouts of relays are minutes: looking once a second is exact enough and costs nothing per message. */
const tickMs = 1000;

export class Relays {
  readonly #clock: Clock;
  readonly #open = new Set<Relay>();
  readonly #timer: Timer;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#timer = clock.repeat(tickMs, () => this.#tick());
  }

  /** Relays that have not ended. */
  get size(): number {
    return this.#open.size;
  }

  /** Starts relaying. The relay given back may have ended already (see `onEnd`). */
  open(options: RelayOptions): Relay {
    const relay = new Relay(options, this.#clock, this.#removed);
    this.#open.add(relay);
    relay.start(options.fromClient, options.fromNode);
    return relay;
  }

  /** Ends every relay and the tick. Idempotent. */
  stop(): void {
    this.#timer.cancel();
    for (const relay of this.#open) relay.stop();
  }

  readonly #removed = (relay: Relay): void => void this.#open.delete(relay);

  #tick(): void {
    const nowMs = this.#clock.nowMs();
    for (const relay of this.#open) relay.tick(nowMs);
  }
}
