// What one thing must be in the end by what operators said, and to whom: the rule for operators at odds of
// docs/several-balancers.md, kept apart from Herald's own code. Pure. Who asks whom is operator.ts.

const beginsAnew: ReadonlySet<string> = new Set(['drain']);

interface Said {
  readonly state: string;
  readonly atMs: number;
  /** Balancers that have it for certain. */
  readonly knownBy: Set<string>;
  /** It may be no more: unanswered, told to a balancer that was killed since, or perhaps known to whom a later one was told. */
  isUncertain: boolean;
  /** What it took the place of, in case it is forgotten. */
  readonly instead: readonly Said[];
}

/** How a wish was told. */
export interface Telling {
  /** The balancer that was asked. */
  readonly to: string;
  /** False: nobody knows whether it was heard. */
  readonly isAnswered: boolean;
  readonly atMs: number;
  /** Whether the one asked has had no way since then to hear of what this balancer was told. */
  readonly isApartFrom: (balancer: string, sinceMs: number) => boolean;
}

/** The wishes for one node, or for a freeze, that may still stand. */
export class Wishes {
  readonly #ranks: readonly string[];
  #said: Said[];
  /** What each balancer was last seen with, or told; absent: not since its start. */
  readonly #shown = new Map<string, string>();
  /** All balancers have been seen with what was said last. */
  isSettled = true;

  /** `ranks`: states, the more restrictive the later; the first is where it begins. */
  constructor(ranks: readonly string[], balancers: readonly string[]) {
    this.#ranks = ranks;
    this.#said = [];
    this.settle(ranks[0] ?? '', balancers);
  }

  /** Something is wanted. */
  say(state: string, { to, isAnswered, atMs, isApartFrom }: Telling): void {
    const isKnown = ({ knownBy }: Said) => isAnswered && knownBy.has(to);
    const known = this.#said.filter(isKnown);
    const isRepeated = known.some((said) => said.state === state);
    // Herald takes what it has already for no new wish: nothing is told to the others, and another's word wins. But a drain
    // that is over begins anew, which is a word as any other, and whether it was over nobody knows here.
    const isOneKnown = isRepeated && known.length === 1;
    if (isOneKnown && !beginsAnew.has(state)) return;
    this.isSettled = false;
    if (isOneKnown) {
      this.#said.push({ state, atMs, knownBy: new Set([to]), isUncertain: true, instead: [] });
      return;
    }
    // Which of several it shows nobody knows: then this may be a repetition, or in place of all.
    const instead = isRepeated ? [] : known;
    this.#said = this.#said.filter((said) => !instead.includes(said));
    const shown = this.#shown.get(to) ?? state;
    const mayRepeat = shown === state || this.#said.some((said) => said.state === state);
    if (isAnswered) this.#shown.set(to, state);
    else this.#shown.delete(to);
    // Whether the balancer had heard of the others: where nobody has seen it, this is later than they, or at odds.
    for (const said of this.#said)
      said.isUncertain ||= ![...said.knownBy].every((balancer) => isApartFrom(balancer, said.atMs));
    const isUncertain = !isAnswered || mayRepeat;
    this.#said.push({ state, atMs, knownBy: new Set([to]), isUncertain, instead });
  }

  /** A balancer was seen with a state that only one of the wishes explains: it knows of that one. */
  witness(balancer: string, state: string): void {
    this.#shown.set(balancer, state);
    const [said, ...others] = this.#said.filter((each) => each.state === state);
    const isOlder = this.#said.some((each) => tookThePlaceOf(each, state));
    if (said !== undefined && others.length === 0 && !isOlder) said.knownBy.add(balancer);
  }

  /** A balancer has ended: what only it is known to have heard may have gone with it. */
  forget(balancer: string): void {
    this.#shown.delete(balancer);
    const lost = this.#said.filter(({ knownBy }) => knownBy.delete(balancer) && knownBy.size === 0);
    for (const said of lost) said.isUncertain = true;
    const again = lost.flatMap(({ instead }) => instead);
    this.#said.push(...again.map((earlier) => ({ ...earlier, isUncertain: true })));
  }

  /** All balancers were seen with this state, connected and with nothing unsaid: it is the only one now. */
  settle(state: string, balancers: readonly string[]): void {
    this.#said = [settled(state, balancers)];
    for (const balancer of balancers) this.#shown.set(balancer, state);
    this.isSettled = true;
  }

  /** States that may stand now: one, unless nobody has seen who knew of what. */
  get allowed(): readonly string[] {
    const rankOf = ({ state }: Said) => this.#ranks.indexOf(state);
    const certain = this.#said.filter(({ isUncertain }) => !isUncertain);
    const least = Math.max(-1, ...certain.map(rankOf));
    const possible = this.#said.filter((said) => rankOf(said) >= least);
    return [...new Set(possible.map(({ state }) => state))];
  }

  /** Whether it may be this on some balancer now. */
  mayBe(state: string): boolean {
    return this.#said.some((said) => said.state === state);
  }
}

/** Whether it took the place of this state, or of what took the place of it. */
function tookThePlaceOf({ instead }: Said, state: string): boolean {
  return instead.some((each) => each.state === state || tookThePlaceOf(each, state));
}

function settled(state: string, balancers: readonly string[]): Said {
  return { state, atMs: -Infinity, knownBy: new Set(balancers), isUncertain: false, instead: [] };
}
