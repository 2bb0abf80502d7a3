// The homes of keys asked for lately. Who polls asks for the same one again and again, and finding it is a draw for every
// node of the pool.
import type { Hash } from './rendezvous.ts';

// 768 KiB for a pool that hashes: with twenty thousand keys in use six of seven are found.
const slots = 2 ** 16;
const unknown = -1;

/** One key in each slot, by the lowest bits of its hash; who comes later takes the slot. */
export class RecentHomes {
  readonly #high = new Int32Array(slots);
  readonly #low = new Int32Array(slots);
  readonly #home = new Int32Array(slots).fill(unknown);

  /** The index that was remembered for the key; -1 when none was. */
  of({ high, low }: Hash): number {
    const slot = low & (slots - 1);
    const isSame = this.#low[slot] === (low | 0) && this.#high[slot] === (high | 0);
    return isSame ? (this.#home[slot] ?? unknown) : unknown;
  }

  /** `home` is an index of at least 0. */
  remember({ high, low }: Hash, home: number): void {
    const slot = low & (slots - 1);
    this.#high[slot] = high;
    this.#low[slot] = low;
    this.#home[slot] = home;
  }

  forgetAll(): void {
    this.#home.fill(unknown);
  }
}
