// What simulated balancers share: words that take a while. No registers and no leases, which placement does not need.
import type {
  LinkStatus,
  PeerPresence,
  SharedHandlers,
  SharedStore,
} from '../../balancer/state/shared-store.ts';
import type { Clock } from '../../core/clock.ts';
import type { Rng } from '../../core/rng.ts';

/** Time that a word takes to each listener, drawn evenly from this span; ms. */
export interface LinkDelay {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A link among the balancers of one run; `store` gives each its end of it. */
export class DelayedLink {
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #delay: LinkDelay;
  readonly #ends = new Map<string, SharedHandlers>();
  /** When the last word of a pair arrives, by `from>to`: words do not overtake each other. */
  readonly #arrivesAtMs = new Map<string, number>();

  constructor(parts: { readonly clock: Clock; readonly rng: Rng; readonly delay: LinkDelay }) {
    this.#clock = parts.clock;
    this.#rng = parts.rng;
    this.#delay = parts.delay;
  }

  /** The end of the balancer of this id. Whoever starts hears at once who is here, and is heard of. */
  store(selfId: string): SharedStore {
    const { fromMs, toMs } = this.#delay;
    const status: LinkStatus = {
      state: 'connected',
      reason: '',
      sinceMs: 0,
      lagMs: (fromMs + toMs) / 2,
      commandsTotal: 0,
      bytesTotal: 0,
      droppedWordsTotal: 0,
    };
    return {
      selfId,
      place: { id: selfId, epoch: 'simulated', where: 'simulated' },
      start: async (handlers) => this.#join(selfId, handlers),
      speak: async () => undefined,
      stop: async () => this.#leave(selfId),
      leave: async () => this.#leave(selfId),
      status: () => status,
      say: (channel, text) => this.#say(selfId, channel, text),
      describe: () => undefined,
      peers: () => this.#othersOf(selfId).map(([id]) => presenceOf(id)),
      registers: () => new Map(),
      write: async () => ({ kind: 'unreachable', reason: 'a simulated link has no registers' }),
      lease: async () => undefined,
      release: async () => undefined,
    };
  }

  #othersOf(selfId: string): [string, SharedHandlers][] {
    return [...this.#ends].filter(([id]) => id !== selfId);
  }

  #join(selfId: string, handlers: SharedHandlers): void {
    this.#ends.set(selfId, handlers);
    for (const [id, other] of this.#othersOf(selfId)) {
      other.peer(presenceOf(selfId), true);
      handlers.peer(presenceOf(id), true);
    }
  }

  #leave(selfId: string): void {
    if (!this.#ends.delete(selfId)) return;
    for (const other of this.#ends.values()) other.peer(presenceOf(selfId), false);
  }

  #say(from: string, channel: string, text: string): void {
    const { fromMs, toMs } = this.#delay;
    const nowMs = this.#clock.nowMs();
    for (const [to] of this.#othersOf(from)) {
      const pair = `${from}>${to}`;
      const drawnMs = nowMs + fromMs + this.#rng.next() * (toMs - fromMs);
      const atMs = Math.max(drawnMs, this.#arrivesAtMs.get(pair) ?? 0);
      this.#arrivesAtMs.set(pair, atMs);
      this.#clock.schedule(atMs - nowMs, () => this.#ends.get(to)?.word(from, channel, text));
    }
  }
}

function presenceOf(id: string): PeerPresence {
  return { id, epoch: `${id}-1`, about: '', ageMs: 0 };
}
