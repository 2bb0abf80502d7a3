// Registers as last heard, and which of two stands. It neither reads nor writes Redis.
import type { Register } from '../balancer/state/shared-store.ts';
import { defaultLimits } from './limits.ts';
import { compareBytes } from './text-bytes.ts';

/** A register with what is needed to forget it. */
export interface Remembered extends Register {
  /** When it was deleted, by the clock of the store, ms since 1970; 0 while it is not. */
  readonly deletedAtMs: number;
}

/** True when `a` stands against `b`: the higher version, or at the same version the greater value in bytes. */
export function stands(a: Register, b: Register | undefined): boolean {
  if (b === undefined || a.version !== b.version) return a.version > (b?.version ?? 0);
  return a.value !== b.value && compareBytes(a.value, b.value) > 0;
}

const nothing: ReadonlyMap<string, Remembered> = new Map();

/** The registers of all scopes. */
export class Mirror {
  readonly #scopes = new Map<string, Map<string, Remembered>>();

  scopes(): readonly string[] {
    return [...this.#scopes.keys()];
  }

  scope(scope: string): ReadonlyMap<string, Remembered> {
    return this.#scopes.get(scope) ?? nothing;
  }

  get(scope: string, key: string): Remembered | undefined {
    return this.#scopes.get(scope)?.get(key);
  }

  /** Takes a register over if it stands against what is here; true when it did. */
  take(scope: string, register: Remembered): boolean {
    const registers = this.#scopes.get(scope) ?? new Map<string, Remembered>();
    if (!stands(register, registers.get(register.key))) return false;
    this.#scopes.set(scope, registers.set(register.key, Object.freeze(register)));
    return true;
  }

  /** What the store should be reminded of when this is all that it has of a scope. */
  missingIn(scope: string, stored: ReadonlyMap<string, Register>): readonly Remembered[] {
    return [...this.scope(scope).values()].filter((register) => stands(register, stored.get(register.key)));
  }

  /** Forgets what was deleted so long before `nowMs`, by the clock of the store; left out, a day. */
  forget(scope: string, nowMs: number, deletedForMs = defaultLimits.deletedForMs): void {
    const registers = this.#scopes.get(scope);
    for (const [key, { deletedAtMs }] of registers ?? [])
      if (deletedAtMs !== 0 && deletedAtMs + deletedForMs < nowMs) registers?.delete(key);
  }
}
