// When this balancer speaks of operations: at once when something has changed, once a second while it runs and for a while
// after, and everything to a newcomer. What is said is own-words.ts.
import type { FleetWord } from '../../../protocol/order-words.ts';
import type { OperationEntry } from '../operations.ts';
import { headOf, partOf } from './own-words.ts';

/** A part that is in no list of operations. */
export interface LoosePart {
  readonly pool: string;
  readonly word: FleetWord & { readonly kind: 'part' };
}

// Words may be lost: an end is told some times more.
const repeats = 5;
// A newcomer hears of what has just been; the others' lists are as long as they have seen things end.
const toldToNewcomers = 20;

interface Said {
  text: string;
  /** How often what is over is still to be said. */
  left: number;
}

/** Says what is due. */
export class Speaker {
  readonly #say: (pool: string, word: FleetWord) => void;
  readonly #said = new Map<string, Said>();
  #hasNewcomer = false;
  /** What was over before this process said anything is told to newcomers only. */
  #isFirst = true;

  constructor(say: (pool: string, word: FleetWord) => void) {
    this.#say = say;
  }

  /** Somebody has come who has heard nothing. */
  greet(): void {
    this.#hasNewcomer = true;
  }

  /** Looks at everything; `isWhole`: what has not changed is due, too. Running operations come first, then the newest. */
  speak(entries: readonly OperationEntry[], loose: readonly LoosePart[], isWhole: boolean): void {
    const isGreeting = this.#hasNewcomer;
    this.#hasNewcomer = false;
    const seen = new Set<string>();
    let over = 0;
    for (const entry of entries) {
      const own = { entry, view: entry.view() };
      const { id, pool, state, owner } = own.view;
      const isOver = state !== 'running';
      over += isOver ? 1 : 0;
      const part = partOf(own);
      if (part !== undefined) this.#consider(seen, { pool, word: part, isOver }, isWhole);
      if (owner !== undefined) continue;
      const head = headOf(own);
      if (isGreeting && over <= toldToNewcomers) this.#say(pool, head);
      else this.#consider(seen, { pool, word: head, isOver, changed: `${id} ${state}` }, isWhole);
    }
    for (const { pool, word } of loose) {
      const isOver = word.state !== 'running' && word.progress.leaving === 0;
      this.#consider(seen, { pool, word, isOver }, isWhole);
    }
    this.#isFirst = false;
    for (const key of this.#said.keys()) if (!seen.has(key)) this.#said.delete(key);
  }

  #consider(
    seen: Set<string>,
    about: {
      readonly pool: string;
      readonly word: FleetWord & { readonly operation: unknown };
      readonly isOver: boolean;
      /** What makes it due at once; left out: any change. */
      readonly changed?: string;
    },
    isWhole: boolean,
  ): void {
    const { pool, word, isOver } = about;
    const id = word.kind === 'head' ? word.operation.id : word.operation;
    const key = `${word.kind} ${String(id)}`;
    seen.add(key);
    const text = about.changed ?? JSON.stringify(word);
    const said = this.#said.get(key);
    const isNews = said?.text !== text && !(this.#isFirst && isOver);
    const left = isNews ? repeats : (said?.left ?? 0);
    const isDue = isNews || (isWhole && (!isOver || left > 0));
    this.#said.set(key, { text, left: isDue ? left - 1 : left });
    if (isDue) this.#say(pool, word);
  }
}
