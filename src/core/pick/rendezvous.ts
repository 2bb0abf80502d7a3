// Which node a key belongs to: weighted rendezvous hashing, and the most that a node may have under a bound. The same
// key and the same nodes give the same node in every process, whatever it remembers.
import { RecentHomes } from './recent-homes.ts';

/** A hashed key or id: twice 32 bits. */
export interface Hash {
  readonly high: number;
  readonly low: number;
}

/** What hashing needs to know of a node. */
export interface HashedNode {
  readonly id: string;
  /** Size relative to the others, above 0; undefined counts as 1. */
  readonly capacity: number | undefined;
}

/**
 * The node that `key` belongs to among those that may take it: an index of `nodes`, -1 when none may. Without `mayTake`
 * all may, and answers for keys asked lately are remembered. A key moves only when its own node comes or goes.
 */
export type Rendezvous = (
  nodes: readonly HashedNode[],
  key: Hash,
  mayTake?: (index: number) => boolean,
) => number;

// The bases of FNV-1a: of its 32 bits, and the upper half of its 64. Two hashes of one text must not agree.
const lowBasis = 0x811c9dc5;
const highBasis = 0xcbf29ce4;
const fnvPrime = 0x01000193;

/** The hash of a text: FNV-1a twice, each finished as MurmurHash3 does, since FNV alone mixes its last letters badly. */
export function hashText(text: string): Hash {
  let low = lowBasis;
  let high = highBasis;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    low = Math.imul(low ^ code, fnvPrime);
    high = Math.imul(high ^ code, fnvPrime) + at;
  }
  return { low: finish(low), high: finish(high) };
}

/** The hashes of a list of nodes, in columns. */
interface Columns {
  readonly of: readonly HashedNode[];
  readonly high: Int32Array;
  readonly low: Int32Array;
  /** 1 ÷ size; undefined where all are equal: then no logarithm is needed to compare. */
  readonly perSize: Float64Array | undefined;
}

/** A rendezvous with a memory of the hashes of ids, and of homes asked for lately; one for each pool. */
export function createRendezvous(): Rendezvous {
  let known = columnsOf([], undefined);
  // Most pools never hash.
  let homes: RecentHomes | undefined;

  return (nodes, key, mayTake) => {
    if (known.of !== nodes) {
      // Each assessment lists the nodes anew, and almost always the same ones.
      const isSame = isSameList(known.of, nodes);
      known = isSame ? { ...known, of: nodes } : columnsOf(nodes, known);
      if (!isSame) homes?.forgetAll();
    }
    if (mayTake !== undefined) return highest(known, key, mayTake);
    homes ??= new RecentHomes();
    const remembered = homes.of(key);
    if (remembered !== -1) return remembered;
    const home = highest(known, key, undefined);
    if (home !== -1) homes.remember(key, home);
    return home;
  };
}

function isSameList(before: readonly HashedNode[], now: readonly HashedNode[]): boolean {
  if (before.length !== now.length) return false;
  return before.every(({ id, capacity }, index) => {
    const node = now[index];
    return node !== undefined && node.id === id && node.capacity === capacity;
  });
}

function columnsOf(nodes: readonly HashedNode[], before: Columns | undefined): Columns {
  const known = new Map<string, Hash>();
  before?.of.forEach(({ id }, index) =>
    known.set(id, { high: before.high[index] ?? 0, low: before.low[index] ?? 0 }),
  );
  const all = nodes.map(({ id }) => known.get(id) ?? hashText(id));
  const perSize = Float64Array.from(nodes, ({ capacity = 1 }) => 1 / capacity);
  return {
    of: nodes,
    high: Int32Array.from(all, ({ high }) => high | 0),
    low: Int32Array.from(all, ({ low }) => low | 0),
    perSize: perSize.every((each) => each === perSize[0]) ? undefined : perSize,
  };
}

type MayTake = ((index: number) => boolean) | undefined;

function highest({ high, low, perSize }: Columns, key: Hash, mayTake: MayTake): number {
  return perSize === undefined
    ? highestOfEqual({ high, low }, key, mayTake)
    : highestOfSized({ high, low, perSize }, key, mayTake);
}

/** Where all sizes are equal, the highest number wins, as a whole number: nothing is converted. */
function highestOfEqual({ high, low }: Pick<Columns, 'high' | 'low'>, key: Hash, mayTake: MayTake): number {
  const keyHigh = key.high | 0;
  const keyLow = key.low | 0;
  let best = -1;
  let bestMet = -0x80000000;
  for (let index = 0; index < high.length; index += 1) {
    const met = meet(keyHigh, keyLow, high[index] ?? 0, low[index] ?? 0);
    if (met < bestMet) continue;
    if (met === bestMet && best !== -1 && !comesFirst(high, low, index, best)) continue;
    if (mayTake !== undefined && !mayTake(index)) continue;
    best = index;
    bestMet = met;
  }
  return best;
}

/**
 * With u in (0, 1) for what key and node draw together, −ln(u) ÷ size is an exponential draw of the rate `size`, and the
 * least of them falls to each node in proportion to its size (Schindelhauer and Schomaker 2005, "Weighted distributed
 * hash tables"). Since −ln(u) is at least 1 − u, most nodes are out before a logarithm is taken.
 */
function highestOfSized(
  { high, low, perSize }: Pick<Columns, 'high' | 'low'> & { readonly perSize: Float64Array },
  key: Hash,
  mayTake: MayTake,
): number {
  const keyHigh = key.high | 0;
  const keyLow = key.low | 0;
  let best = -1;
  let bestDraw = Infinity;
  for (let index = 0; index < high.length; index += 1) {
    // 32 bits, and half a step more: 0 would have no logarithm.
    const rest = (0x7fffffff - meet(keyHigh, keyLow, high[index] ?? 0, low[index] ?? 0) + 0.5) / 0x100000000;
    const per = perSize[index] ?? 1;
    if (rest * per > bestDraw) continue;
    const draw = -Math.log1p(-rest) * per;
    if (draw > bestDraw) continue;
    if (draw === bestDraw && best !== -1 && !comesFirst(high, low, index, best)) continue;
    if (mayTake !== undefined && !mayTake(index)) continue;
    best = index;
    bestDraw = draw;
  }
  return best;
}

// Two of 32 bits can be equal. Then the ids decide, as everywhere else, and not the order of the list.
function comesFirst(high: Int32Array, low: Int32Array, index: number, other: number): boolean {
  const [a = 0, b = 0] = [high[index], high[other]];
  return a === b ? (low[index] ?? 0) > (low[other] ?? 0) : a > b;
}

/**
 * What key and node draw together: 32 bits with a sign, uniform over both. All bits of both count, so that no two nodes
 * share their keys. Two multiplications suffice: key and id are well mixed before, and the comparison goes by the upper
 * bits, which each multiplication carries upwards to.
 */
function meet(keyHigh: number, keyLow: number, nodeHigh: number, nodeLow: number): number {
  const first = Math.imul(keyLow ^ nodeLow, 0x85ebca6b);
  return Math.imul((first >>> 15) ^ first ^ (keyHigh ^ nodeHigh), 0xc2b2ae35);
}

/** The finalizer of MurmurHash3 (Appleby): every bit of `bits` reaches every bit of the result, 0..2^32 − 1. */
function finish(bits: number): number {
  let mixed = bits;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

// What a handful of clients open at a time is chance, not load: held to a bound, their sessions would be torn apart.
const alwaysAllowed = 32;

/**
 * Whether a node with `connections` may take one more under `bound`: at most bound × its part by capacity of all
 * connections, this one included (Mirrokni, Thorup and Zadimoghaddam 2018, "Consistent hashing with bounded loads").
 * Up to 32 it always may. `bound` above 1 leaves room for every connection; Infinity is no bound.
 */
export function isWithinBound(
  node: { readonly connections: number; readonly capacity: number },
  pool: { readonly connections: number; readonly capacity: number },
  bound: number,
): boolean {
  if (node.connections < alwaysAllowed || bound === Infinity) return true;
  if (pool.capacity <= 0) return true;
  return node.connections < Math.ceil((bound * (pool.connections + 1) * node.capacity) / pool.capacity);
}
