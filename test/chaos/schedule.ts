// What happens when: faults in two lanes and the operator's words, all drawn from one seed before anything is started.
// Pure: the same seed and fleet give the same schedule on every machine.
import { pcg32, type Rng } from '../../src/core/rng.ts';

/** Faults of one lane come one after the other, so that at most one of each lane is there at a time. */
export type Lane = 'state' | 'process';

/** What the schedule has to know of an action. */
export interface ActionShape {
  readonly name: string;
  readonly lane: Lane;
  /** How long it lasts before it is healed, ms, least and most. */
  readonly lastsMs: readonly [number, number];
}

/** One fault. */
export interface ScheduledFault {
  readonly atMs: number;
  readonly lane: Lane;
  readonly action: string;
  /** 0..1: which of those that it may hit. */
  readonly pick: number;
  readonly lastsMs: number;
  /** What two operators ask for while it sets two balancers apart, each of another one. */
  readonly atOdds: readonly [Word, Word] | undefined;
}

/** What an operator asks for. */
export type Word =
  | { readonly kind: 'node'; readonly node: string; readonly state: 'ready' | 'drain' | 'maint' }
  | { readonly kind: 'freeze'; readonly frozen: boolean }
  | { readonly kind: 'rebalance' };

/** One word. */
export interface ScheduledWord {
  readonly atMs: number;
  readonly word: Word;
  /** 0..1: which of the balancers that live then is asked. */
  readonly via: number;
}

/** A whole run but its healed end. */
export interface Schedule {
  readonly seed: number;
  readonly forMs: number;
  readonly faults: readonly ScheduledFault[];
  readonly words: readonly ScheduledWord[];
}

/** What a schedule is made for. */
export interface Occasion {
  readonly seed: number;
  readonly forMs: number;
  readonly actions: readonly ActionShape[];
  readonly nodes: readonly string[];
}

// Clients and balancers get between two faults of a lane about as long as a lease or a beat takes, often less.
const faultGapMs = [1000, 5000] as const;
const wordGapMs = [1500, 5000] as const;
const atOddsPart = 0.6;
// A fleet without room for its clients would show admission instead of what is looked for here.
const mostNotReady = 2;

/** Draws a run. Every action of a lane comes once before any comes twice. */
export function planSchedule({ seed, forMs, actions, nodes }: Occasion): Schedule {
  const lanes: readonly Lane[] = ['state', 'process'];
  const faults = lanes.flatMap((lane, index) =>
    planLane(
      actions.filter((action) => action.lane === lane),
      { rng: pcg32(seed * 10 + index), forMs, nodes },
    ),
  );
  return {
    seed,
    forMs,
    faults: faults.toSorted((a, b) => a.atMs - b.atMs),
    words: planWords({ rng: pcg32(seed * 10 + lanes.length), forMs, nodes }),
  };
}

interface Drawn {
  readonly rng: Rng;
  readonly forMs: number;
  readonly nodes: readonly string[];
}

function planLane(actions: readonly ActionShape[], { rng, forMs, nodes }: Drawn): ScheduledFault[] {
  const faults: ScheduledFault[] = [];
  let bag: ActionShape[] = [];
  let atMs = between(rng, [500, 3000]);
  while (actions.length > 0 && atMs < forMs) {
    if (bag.length === 0) bag = shuffled(actions, rng);
    const action = bag.pop();
    if (action === undefined) break;
    const lastsMs = between(rng, action.lastsMs);
    const atOdds = drawAtOdds(nodes, rng);
    faults.push({ atMs, lane: action.lane, action: action.name, pick: rng.next(), lastsMs, atOdds });
    atMs += lastsMs + between(rng, faultGapMs);
  }
  return faults;
}

/** About the last node, of which nobody else says anything, or the freeze. */
function drawAtOdds(nodes: readonly string[], rng: Rng): readonly [Word, Word] | undefined {
  const [isAtOdds, aboutNode] = [rng.next() < atOddsPart, rng.next() < 0.6];
  const [first, second] = shuffled(['ready', 'drain', 'maint'] as const, rng);
  const node = nodes.at(-1);
  if (!isAtOdds || node === undefined || first === undefined || second === undefined) return undefined;
  if (aboutNode)
    return [
      { kind: 'node', node, state: first },
      { kind: 'node', node, state: second },
    ];
  const frozen = first < second;
  return [
    { kind: 'freeze', frozen },
    { kind: 'freeze', frozen: !frozen },
  ];
}

function planWords({ rng, forMs, nodes }: Drawn): ScheduledWord[] {
  const words: ScheduledWord[] = [];
  const wanted = new Map(nodes.slice(0, -1).map((node) => [node, 'ready']));
  let isFrozen = false;
  for (let atMs = between(rng, wordGapMs); atMs < forMs; atMs += between(rng, wordGapMs)) {
    const via = rng.next();
    const chance = rng.next();
    if (chance < 0.1) words.push({ atMs, via, word: { kind: 'rebalance' } });
    else if (chance < 0.25) {
      isFrozen = !isFrozen;
      words.push({ atMs, via, word: { kind: 'freeze', frozen: isFrozen } });
    } else words.push({ atMs, via, word: nodeWord(wanted, rng) });
  }
  return words;
}

/** Another state for some node. Where enough nodes are not ready, one of these changes. */
function nodeWord(wanted: Map<string, string>, rng: Rng): Word {
  const others = [...wanted].filter(([, state]) => state !== 'ready').map(([node]) => node);
  const isFull = others.length >= mostNotReady;
  const node = oneOf(isFull ? others : [...wanted.keys()], rng.next());
  const states = (['ready', 'drain', 'maint'] as const).filter((state) => state !== wanted.get(node));
  const state = isFull && rng.next() < 0.5 ? 'ready' : oneOf(states, rng.next());
  wanted.set(node, state);
  return { kind: 'node', node, state };
}

function shuffled<Item>(items: readonly Item[], rng: Rng): Item[] {
  return items
    .map((item) => ({ item, key: rng.next() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

function between(rng: Rng, [least, most]: readonly [number, number]): number {
  return Math.round(least + rng.next() * (most - least));
}

/** The item at `part` (0..1) of a list. Throws for an empty one. */
export function oneOf<Item>(items: readonly Item[], part: number): Item {
  const item = items[Math.min(items.length - 1, Math.floor(part * items.length))];
  if (item === undefined) throw new Error('nothing to choose from');
  return item;
}
