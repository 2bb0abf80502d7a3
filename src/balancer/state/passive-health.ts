// Failed dials and handshakes of one node: when they are too many, it is ejected for a while.
import type { Policy } from '../../policy/policy.ts';

export type PassiveRule = Policy['health']['passive'];

/** Remembers one node's recent failures. */
export class PassiveHealth {
  #failuresAtMs: number[] = [];
  #ejectedUntilMs = -Infinity;
  #sparedUntilMs = -Infinity;

  /** The instant at which it is taken in again; -Infinity before it was ever ejected. */
  get ejectedUntilMs(): number {
    return this.#ejectedUntilMs;
  }

  /** True while the node is ejected. */
  isEjected(nowMs: number): boolean {
    return nowMs < this.#ejectedUntilMs;
  }

  /** Notes a failure. True when it is the one too many: the caller decides whether the pool can spare the node. */
  fail(nowMs: number, rule: PassiveRule): boolean {
    if (rule.errors === 0 || this.isEjected(nowMs) || nowMs < this.#sparedUntilMs) return false;
    this.#failuresAtMs = this.#failuresAtMs.filter((atMs) => nowMs - atMs < rule.windowMs);
    this.#failuresAtMs.push(nowMs);
    return this.#failuresAtMs.length >= rule.errors;
  }

  /** Forgets the failures: the node has answered. */
  succeed(): void {
    if (this.#failuresAtMs.length > 0) this.#failuresAtMs = [];
  }

  /** The pool cannot do without the node: its failures are not counted until then. */
  spare(untilMs: number): void {
    this.#sparedUntilMs = untilMs;
    this.#failuresAtMs = [];
  }

  eject(untilMs: number): void {
    this.#ejectedUntilMs = untilMs;
    this.#failuresAtMs = [];
  }
}
