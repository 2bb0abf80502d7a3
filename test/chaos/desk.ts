// What operators have said to whom, and whether the balancers do it. What must stand where they were at odds is
// wishes.ts.
import type { Invariant, Verdicts } from './invariants.ts';
import type { Journal } from './journal.ts';
import { Wishes } from './wishes.ts';

/** One balancer, as it answered within one look at all. */
export interface View {
  readonly id: string;
  /** Its link is connected, it knows all others, and has nothing unsaid. */
  readonly isShared: boolean;
  readonly isLeader: boolean;
  /** Admin state by node. */
  readonly states: Readonly<Record<string, string>>;
  readonly isFrozen: boolean;
}

/** What a desk is made with. */
export interface DeskOptions {
  readonly balancers: readonly string[];
  readonly nodes: readonly string[];
  readonly journal: Journal;
  readonly verdicts: Verdicts;
}

/** Balancers between which no word passes. */
export interface Apart {
  readonly balancers: readonly string[] | 'all';
  readonly sinceMs: number;
}

/** The name under which the freeze of the pool is kept beside the nodes. */
export const freezeName = 'freeze';

// A change is on all balancers within a second where nothing is wrong; this machine may be busy, a link slow.
const agreeWithinMs = 15_000;

/** The operators' memory. */
export class Desk {
  readonly #options: DeskOptions;
  readonly #wishes = new Map<string, Wishes>();
  readonly #drains = new Map<string, () => void>();
  #quietSinceMs = 0;
  /** Rises with everything that may change what balancers show: a look during which it rose says nothing. */
  generation = 0;
  /** Changes that all balancers came to agree on, by how many states could have stood: one, or several. */
  readonly settled = { byOne: 0, bySeveral: 0 };
  apart: Apart | undefined;

  constructor(options: DeskOptions) {
    this.#options = options;
    const { nodes, balancers } = options;
    for (const node of nodes) this.#wishes.set(node, new Wishes(['ready', 'drain', 'maint'], balancers));
    this.#wishes.set(freezeName, new Wishes(['released', 'frozen'], balancers));
  }

  /** Something was asked of a balancer, which has answered, or nobody knows. */
  say(name: string, state: string, { to, isAnswered }: { to: string; isAnswered: boolean }): void {
    this.disturb();
    const atMs = this.#options.journal.nowMs();
    const isApartFrom = (from: string, sinceMs: number) => this.#isApart(from, to, sinceMs);
    this.#wishes.get(name)?.say(state, { to, isAnswered, atMs, isApartFrom });
  }

  /** A drain is about to be asked for: from now on it may end connections. */
  expectDrain(node: string): void {
    if (!this.#drains.has(node)) this.#drains.set(node, this.#options.journal.begin('drain', node));
  }

  /** A balancer has ended. */
  forget(balancer: string): void {
    this.disturb();
    for (const wishes of this.#wishes.values()) wishes.forget(balancer);
  }

  /** Something has changed: agreement may take its time again. */
  disturb(): void {
    this.generation += 1;
    this.#quietSinceMs = this.#options.journal.nowMs();
  }

  /** States that may stand for this name. */
  allowed(name: string): readonly string[] {
    return this.#wishes.get(name)?.allowed ?? [];
  }

  /**
   * Compares with what all balancers show. `isLast`: nothing changes any more, so they must agree now. False while they
   * are not of one mind.
   */
  see(views: readonly View[], isLast = false): boolean {
    const { balancers, journal } = this.#options;
    for (const view of views)
      for (const [name, wishes] of this.#wishes) wishes.witness(view.id, stateIn(view, name));
    if (views.length < balancers.length || views.some(({ isShared }) => !isShared)) {
      this.#quietSinceMs = journal.nowMs();
      return false;
    }
    const mustAgree = isLast || journal.nowMs() - this.#quietSinceMs > agreeWithinMs;
    const agreed = [...this.#wishes].map(([name, wishes]) => this.#judge(name, wishes, { views, mustAgree }));
    return agreed.every(Boolean);
  }

  #judge(
    name: string,
    wishes: Wishes,
    { views, mustAgree }: { views: readonly View[]; mustAgree: boolean },
  ): boolean {
    const { balancers, verdicts } = this.#options;
    const invariant: Invariant = name === freezeName ? 'freeze' : 'adminStates';
    const shown = views.map((view) => stateIn(view, name));
    const [state = ''] = shown;
    const isAgreed = shown.every((each) => each === state);
    const told = () => `${name}: ${views.map(({ id }, index) => `${id} says ${shown[index]}`).join(', ')}`;
    if (!isAgreed || state === 'unknown') {
      if (mustAgree) verdicts.check(invariant, false, () => `${told()}; all are connected`);
      return false;
    }
    const allowed = wishes.allowed;
    verdicts.check(invariant, allowed.includes(state), () => `${told()}; must be ${allowed.join(' or ')}`);
    if (!wishes.isSettled) this.settled[allowed.length === 1 ? 'byOne' : 'bySeveral'] += 1;
    wishes.settle(state, balancers);
    if (state === 'drain') this.expectDrain(name);
    else this.#endDrain(name);
    return true;
  }

  #endDrain(node: string): void {
    this.#drains.get(node)?.();
    this.#drains.delete(node);
  }

  #isApart(one: string, other: string, sinceMs: number): boolean {
    if (this.apart === undefined || this.apart.sinceMs > sinceMs || one === other) return false;
    const { balancers } = this.apart;
    return balancers === 'all' || balancers.includes(one) || balancers.includes(other);
  }
}

function stateIn({ states, isFrozen }: View, name: string): string {
  if (name === freezeName) return isFrozen ? 'frozen' : 'released';
  return states[name] ?? 'unknown';
}
