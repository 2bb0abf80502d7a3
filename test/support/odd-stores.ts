// Stores that do what a network or a failover does: hold words back, say them twice, give out leases as the test says.
import type { SharedStore } from '../../src/balancer/state/shared-store.ts';

/** The same store but for its leases, and for what it says. */
export function withLease(
  store: SharedStore,
  lease: SharedStore['lease'] = (name, wish) => store.lease(name, wish),
  say: SharedStore['say'] = (channel, text) => store.say(channel, text),
): SharedStore {
  return {
    selfId: store.selfId,
    place: store.place,
    start: (handlers, options) => store.start(handlers, options),
    speak: () => store.speak(),
    leave: () => store.leave(),
    stop: () => store.stop(),
    status: () => store.status(),
    say,
    describe: (about) => store.describe(about),
    peers: () => store.peers(),
    registers: (scope) => store.registers(scope),
    write: (scope, key, change) => store.write(scope, key, change),
    lease,
    release: (name, token) => store.release(name, token),
  };
}

/** Words about operations that are on their way for long, as of a process that was stopped in the middle. */
export class HeldWords {
  isHolding = false;
  readonly #held: (() => void)[] = [];

  /** How many are held. */
  get count(): number {
    return this.#held.length;
  }

  /** Around the store of the one who says them. */
  around(store: SharedStore): SharedStore {
    return withLease(store, undefined, (channel, text) => {
      const say = () => store.say(channel, text);
      if (this.isHolding && channel.startsWith('operations:')) this.#held.push(say);
      else say();
    });
  }

  /** They arrive. */
  release(): void {
    this.isHolding = false;
    for (const say of this.#held.splice(0)) say();
  }
}
