// Who has been heard, in which life, and how long ago. Silence is the caller's to look for.
import type { PeerPresence } from '../balancer/state/shared-store.ts';
import { isOneLife, lifeOf, turnOf } from '../balancer/state/peer-life.ts';

interface Entry {
  readonly id: string;
  epoch: string;
  /** Undefined: not said yet. */
  about: string | undefined;
  heardAtMs: number;
}

// Processes that have ended or were replaced, of all peers: what is still under way from them brings nobody back.
const maxPastEpochs = 256;

/** Peers other than this one. */
export class PeerBook {
  readonly #entries = new Map<string, Entry>();
  readonly #past = new Set<string>();

  /**
   * A peer was heard; `about` undefined: as before. The peer when there is something to tell of it: it is new, is in
   * another life or describes itself otherwise.
   */
  heard(
    peer: { readonly id: string; readonly epoch: string; readonly about: string | undefined },
    atMs: number,
  ): PeerPresence | undefined {
    const { id, epoch, about } = peer;
    if (this.isPast(id, epoch)) return undefined;
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      const fresh = { id, epoch, about, heardAtMs: atMs };
      this.#entries.set(id, fresh);
      return presence(fresh, atMs);
    }
    const isOther = !isOneLife(entry.epoch, epoch) || (about !== undefined && about !== entry.about);
    if (entry.epoch !== epoch) this.#end(id, entry.epoch);
    entry.epoch = epoch;
    entry.about = about ?? entry.about;
    entry.heardAtMs = Math.max(entry.heardAtMs, atMs);
    return isOther ? presence(entry, atMs) : undefined;
  }

  /** A process has ended by its own word. The peer when it was here. */
  left(id: string, epoch: string, nowMs: number): PeerPresence | undefined {
    this.#end(id, epoch);
    const entry = this.#entries.get(id);
    if (entry?.epoch !== epoch) return undefined;
    this.#entries.delete(id);
    return presence(entry, nowMs);
  }

  /** Takes out one that is not heard any more; it may come back in the same life. The peer when it was here. */
  lose(id: string, nowMs: number): PeerPresence | undefined {
    const entry = this.#entries.get(id);
    this.#entries.delete(id);
    return entry === undefined ? undefined : presence(entry, nowMs);
  }

  /** Takes out those who were last heard before `beforeMs`. They may come back in the same life. */
  takeSilent(beforeMs: number, nowMs: number): readonly PeerPresence[] {
    const silent = [...this.#entries.values()].filter(({ heardAtMs }) => heardAtMs < beforeMs);
    return silent.flatMap(({ id }) => this.lose(id, nowMs) ?? []);
  }

  /** True when this process of the peer has ended or was replaced by another. */
  isPast(id: string, epoch: string): boolean {
    const current = this.#entries.get(id)?.epoch ?? '';
    const isReplaced = isOneLife(current, epoch) && turnOf(current) > turnOf(epoch);
    return isReplaced || this.#past.has(`${epoch} ${id}`);
  }

  /** True when somebody has not said yet what he is. */
  get hasUndescribed(): boolean {
    return [...this.#entries.values()].some(({ about }) => about === undefined);
  }

  list(nowMs: number): readonly PeerPresence[] {
    return [...this.#entries.values()].map((entry) => presence(entry, nowMs));
  }

  #end(id: string, epoch: string): void {
    this.#past.add(`${epoch} ${id}`);
    const [oldest] = this.#past;
    if (this.#past.size > maxPastEpochs && oldest !== undefined) this.#past.delete(oldest);
  }
}

function presence({ id, epoch, about, heardAtMs }: Entry, nowMs: number): PeerPresence {
  return { id, epoch: lifeOf(epoch), about: about ?? '', ageMs: Math.max(0, nowMs - heardAtMs) };
}
