// Water-filling: how many of the next arrivals each node takes so that all end at one level.

/** One pool, one array entry a node. All arrays have the same length. */
export interface WaterFillInput {
  /** Level at which each vessel starts: the node's score. Finite. */
  readonly score: Float64Array;
  /** How much one arrival raises it: the node's slope. Above 0. */
  readonly slope: Float64Array;
  /** Most arrivals a node may take, 0 or more, may be Infinity; 0 for ineligible nodes. */
  readonly bound: Float64Array;
  /** Arrivals to place, above 0; fractions are fine. */
  readonly arrivals: number;
}

/** What came of it. */
export interface WaterFillResult {
  /** Where the water stands; the highest filled node when the bounds hold less than the arrivals, NaN without room. */
  readonly level: number;
  /** Arrivals for each node, 0 or more, at most its bound; they sum to `arrivals - unplaced`. */
  readonly filled: Float64Array;
  /** Arrivals that fit nowhere, 0 or more. */
  readonly unplaced: number;
}

// Newton's step lands on the exact level as soon as no node starts or stops filling on the way, which takes a
// handful of steps; bisection guards the rest, and 200 halvings exhaust a double.
const maxSteps = 200;

/**
 * Finds the level W with Σ min(bound, max(0, (W − score) ÷ slope)) = arrivals. Each node's part rises with its
 * room and does not depend on the order of the nodes. Cost: a few passes over the nodes, no sorting.
 */
export function waterFill(input: WaterFillInput): WaterFillResult {
  const { bound, arrivals } = input;
  const room = bound.reduce((sum, each) => sum + each, 0);
  if (room <= arrivals) {
    return { level: highestEnd(input), filled: bound.slice(), unplaced: arrivals - room };
  }
  const level = findLevel(input);
  return { level, filled: fillTo(input, level), unplaced: 0 };
}

/** Arrivals that all nodes together take when filled up to `level`. */
export function volumeAt(input: Pick<WaterFillInput, 'score' | 'slope' | 'bound'>, level: number): number {
  let volume = 0;
  for (let i = 0; i < input.score.length; i += 1) volume += takenBy(input, i, level);
  return volume;
}

function takenBy(
  input: Pick<WaterFillInput, 'score' | 'slope' | 'bound'>,
  index: number,
  level: number,
): number {
  const height = level - (input.score[index] ?? NaN);
  if (!(height > 0)) return 0;
  return Math.min(input.bound[index] ?? 0, height / (input.slope[index] ?? NaN));
}

function fillTo(input: WaterFillInput, level: number): Float64Array {
  return Float64Array.from(input.score, (_, index) => takenBy(input, index, level));
}

function highestEnd({ score, slope, bound }: WaterFillInput): number {
  let highest = NaN;
  for (let i = 0; i < score.length; i += 1) {
    const taken = bound[i] ?? 0;
    if (taken === 0) continue;
    const end = (score[i] ?? NaN) + taken * (slope[i] ?? NaN);
    if (!(highest >= end)) highest = end;
  }
  return highest;
}

function findLevel(input: WaterFillInput): number {
  const { score, slope, bound, arrivals } = input;
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < score.length; i += 1) {
    const taken = Math.min(bound[i] ?? 0, arrivals);
    if (taken === 0) continue;
    const start = score[i] ?? NaN;
    low = Math.min(low, start);
    high = Math.max(high, start + taken * (slope[i] ?? NaN));
  }
  let level = low;
  for (let step = 0; step < maxSteps; step += 1) {
    const { volume, rise } = measure(input, level);
    if (volume < arrivals) low = level;
    else high = level;
    const newton = rise > 0 ? level + (arrivals - volume) / rise : NaN;
    const next = newton >= low && newton <= high ? newton : (low + high) / 2;
    if (next === level || volume === arrivals) return level;
    level = next;
  }
  return level;
}

/** Volume at a level, and how fast it grows just above it. */
function measure({ score, slope, bound }: WaterFillInput, level: number): { volume: number; rise: number } {
  let volume = 0;
  let rise = 0;
  for (let i = 0; i < score.length; i += 1) {
    const limit = bound[i] ?? 0;
    const height = level - (score[i] ?? NaN);
    if (limit === 0 || !(height >= 0)) continue;
    const each = slope[i] ?? NaN;
    const taken = height / each;
    if (taken >= limit) {
      volume += limit;
      continue;
    }
    volume += taken;
    rise += 1 / each;
  }
  return { volume, rise };
}
