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

// Volume and arrivals that differ by this part are equal: sums over thousands of nodes are no more exact.
const tolerance = 1e-12;
// Newton's step lands on the exact level as soon as no node starts or stops filling on the way, but where slopes
// and bounds span many magnitudes it creeps or circles; so every third step halves the bracket instead. A
// double's range is used up after some 120 halvings.
const halvedEvery = 3;
const maxSteps = 400;

/**
 * Finds the level W with Σ min(bound, max(0, (W − score) ÷ slope)) = arrivals. Each node's part rises with its
 * room and does not depend on the order of the nodes. Cost: about ten passes over the nodes, no sorting.
 */
export function waterFill(input: WaterFillInput): WaterFillResult {
  const { bound, arrivals } = input;
  const room = bound.reduce((sum, each) => sum + each, 0);
  if (room <= arrivals) {
    return { level: highestEnd(input), filled: bound.slice(), unplaced: arrivals - room };
  }
  const stand = findStand(input);
  return { level: stand.level, filled: fillTo(input, stand), unplaced: 0 };
}

function takenBy(input: WaterFillInput, index: number, level: number): number {
  const height = level - (input.score[index] ?? NaN);
  if (!(height > 0)) return 0;
  return Math.min(input.bound[index] ?? 0, height / (input.slope[index] ?? NaN));
}

/**
 * The parts at a level. Where one step of a double is worth many arrivals (a high score, a tiny slope), what is
 * lacking fits between two doubles: it is filled in as if every node that is still filling stood at 0.
 */
function fillTo(input: WaterFillInput, { level, volume }: Stand): Float64Array {
  const { score, slope, bound, arrivals } = input;
  const filled = score.map((_, index) => takenBy(input, index, level));
  const lacking = arrivals - volume;
  if (lacking <= tolerance * arrivals) return filled;
  const left = bound.map((each, i) => ((score[i] ?? NaN) <= level ? each - (filled[i] ?? 0) : 0));
  const rest = waterFill({ score: new Float64Array(score.length), slope, bound: left, arrivals: lacking });
  return filled.map((each, i) => Math.min(bound[i] ?? 0, each + (rest.filled[i] ?? 0)));
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

/** The pool filled up to a level: what it holds, and how fast that grows just above it. */
interface Stand {
  readonly level: number;
  readonly volume: number;
  readonly rise: number;
}

function findStand(input: WaterFillInput): Stand {
  const { arrivals } = input;
  let { low, high } = bracket(input);
  let below = measure(input, low);
  let stand = below;
  for (let step = 1; step <= maxSteps; step += 1) {
    const lacking = arrivals - stand.volume;
    if (Math.abs(lacking) <= tolerance * arrivals) return stand;
    if (lacking > 0) {
      low = stand.level;
      below = stand;
    } else high = stand.level;
    const newton = stand.level + lacking / stand.rise;
    const isUsable = newton > low && newton < high && step % halvedEvery !== 0;
    const next = isUsable ? newton : low + (high - low) / 2;
    // Two neighbouring doubles: there is no level between them.
    if (!(next > low && next < high)) break;
    stand = measure(input, next);
  }
  return below;
}

/** From where nothing is filled to well above where everything is that could be. */
function bracket({ score, slope, bound, arrivals }: WaterFillInput): { low: number; high: number } {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < score.length; i += 1) {
    const taken = Math.min(bound[i] ?? 0, arrivals);
    if (taken === 0) continue;
    const start = score[i] ?? NaN;
    low = Math.min(low, start);
    high = Math.max(high, start + taken * (slope[i] ?? NaN));
  }
  return { low, high: high + (high - low) };
}

function measure({ score, slope, bound }: WaterFillInput, level: number): Stand {
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
  return { level, volume, rise };
}
