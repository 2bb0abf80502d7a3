// Which node a key belongs to: weighted rendezvous hashing, and the most that a node may have under a bound. The same
// key and the same nodes give the same node in every process; nothing is remembered.

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
 * The node that `key` belongs to among those that may take it: an index of `nodes`, -1 when none may. A key moves only
 * when its own node comes or goes.
 */
export type Rendezvous = (
  nodes: readonly HashedNode[],
  key: Hash,
  mayTake: (index: number) => boolean,
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
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  /** Sizes; undefined where all are equal: then no logarithm is needed to compare. */
  readonly capacity: Float64Array | undefined;
}

/** A rendezvous with a memory of the hashes of ids; one for each pool. */
export function createRendezvous(): Rendezvous {
  let hashes = new Map<string, Hash>();
  let known: Columns = columnsOf([], () => hashText(''));

  function columnsFor(nodes: readonly HashedNode[]): Columns {
    if (known.of === nodes) return known;
    const kept = new Map<string, Hash>();
    known = columnsOf(nodes, (id) => {
      const hash = hashes.get(id) ?? hashText(id);
      kept.set(id, hash);
      return hash;
    });
    hashes = kept;
    return known;
  }

  return (nodes, key, mayTake) => {
    const { high, low, capacity } = columnsFor(nodes);
    let best = -1;
    let bestDraw = -Infinity;
    for (let index = 0; index < high.length; index += 1) {
      const met = meet(key, high[index] ?? 0, low[index] ?? 0);
      const draw = capacity === undefined ? met : Math.log(met) / (capacity[index] ?? 1);
      if (draw <= bestDraw || !mayTake(index)) continue;
      best = index;
      bestDraw = draw;
    }
    return best;
  };
}

function columnsOf(nodes: readonly HashedNode[], hashOf: (id: string) => Hash): Columns {
  const all = nodes.map(({ id }) => hashOf(id));
  const sizes = Float64Array.from(nodes, ({ capacity = 1 }) => capacity);
  return {
    of: nodes,
    high: Uint32Array.from(all, ({ high }) => high),
    low: Uint32Array.from(all, ({ low }) => low),
    capacity: sizes.every((size) => size === sizes[0]) ? undefined : sizes,
  };
}

/**
 * A number u in (0, 1) that key and node draw together, uniform over both. −ln(u) ÷ weight is an exponential draw of
 * that rate, and the least of them (here: the highest of ln(u) ÷ weight) falls to each node in proportion to its weight
 * (Schindelhauer and Schomaker 2005, "Weighted distributed hash tables").
 */
function meet(key: Hash, nodeHigh: number, nodeLow: number): number {
  const upper = finish(key.high ^ nodeLow);
  const lower = finish(Math.imul(key.low ^ nodeHigh, 0x9e3779b1) ^ upper) >>> 11;
  // 53 bits, and half a step more: 0 would have no logarithm.
  return (upper * 0x200000 + lower + 0.5) / 0x20000000000000;
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
