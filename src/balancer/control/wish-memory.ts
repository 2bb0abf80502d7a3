// The section `words` of the saved state: which words of other balancers this one has followed, and which of its operators'
// it could not tell yet. Without it a balancer that starts again while it is cut off would take what it knew before for
// newer than what it is told now. What is wanted itself is the section `control`.
import { isRecord } from '../../protocol/field-checks.ts';
import { decodeWish, encodeWish, type SharedWish, type WishScope } from '../../protocol/peer-wishes.ts';
import type { Register } from '../state/shared-store.ts';
import type { StateSection } from '../state/ports.ts';

/** A word that nobody else has heard. */
export interface UntoldWish {
  readonly scope: WishScope;
  readonly key: string;
  readonly wish: SharedWish;
  /** How long ago it was said. */
  readonly agoMs: number;
}

interface Followed {
  readonly scope: WishScope;
  readonly register: Register;
}

interface SavedWords {
  readonly followed: readonly (readonly [scope: string, key: string, value: string, version: number])[];
  readonly untold: readonly (readonly [scope: string, key: string, value: string])[];
}

/** What is remembered of words; whoever speaks and hears keeps it. */
export class WishMemory {
  readonly #followed = new Map<string, Followed>();
  /** Asked when the state is saved; before anybody speaks, what was restored. */
  untold: () => readonly UntoldWish[] = () => this.#restored;
  #restored: readonly UntoldWish[] = [];
  #revision = 0;

  readonly section: StateSection = {
    name: 'words',
    revision: () => this.#revision,
    save: () => this.#save(),
    restore: (saved, ageMs) => this.#restore(saved, ageMs),
  };

  /** Words of before this start, not told then. */
  get restored(): readonly UntoldWish[] {
    return this.#restored;
  }

  /** The register that was followed last, or written here. */
  followed(scope: WishScope, key: string): Register | undefined {
    return this.#followed.get(nameOf(scope, key))?.register;
  }

  follow(scope: WishScope, register: Register): void {
    this.#followed.set(nameOf(scope, register.key), { scope, register });
    this.changed();
  }

  /** There are other words to tell. */
  changed(): void {
    this.#revision += 1;
  }

  #save(): SavedWords {
    const followed = [...this.#followed.values()].filter(({ register }) => register.value !== '');
    return {
      followed: followed.map(({ scope, register: { key, value, version } }) => [scope, key, value, version]),
      untold: this.untold().map(({ scope, key, wish, agoMs }) => [scope, key, encodeWish(wish, agoMs)]),
    };
  }

  #restore(saved: unknown, ageMs: number): number | undefined {
    if (!isRecord(saved)) return undefined;
    const { followed, untold } = saved;
    for (const [scope, key, value, version] of rowsOf(followed))
      if (isWishScope(scope) && isText(key) && isText(value) && isVersion(version))
        this.#followed.set(nameOf(scope, key), { scope, register: { key, value, version } });
    this.#restored = rowsOf(untold).flatMap(([scope, key, value]) => {
      const wish = isText(value) ? decodeWish(value) : undefined;
      return wish !== undefined && isWishScope(scope) && isText(key)
        ? [{ scope, key, wish, agoMs: ageMs }]
        : [];
    });
    return this.#followed.size + this.#restored.length;
  }
}

function rowsOf(value: unknown): readonly (readonly unknown[])[] {
  return Array.isArray(value) ? value.filter((row) => Array.isArray(row)) : [];
}

/** Whether registers of this name are of wishes. */
export function isWishScope(value: unknown): value is WishScope {
  return value === 'admin' || value === 'freeze';
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isVersion(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** A register among all scopes. */
export function nameOf(scope: WishScope, key: string): string {
  return `${scope} ${key}`;
}
