// What a node had taught before the balancer restarted: as a value, in the saved state, and under a node's first
// report. Where it is kept and for how long is not decided here.
import { absorbReport, type NodeLoad } from './load.ts';
import { learnedWeight, noMoments, type Moments } from './moments.ts';

const learnedParts = ['byMessages', 'byConnections', 'byThroughput'] as const;
// Proof of `as`: the keys of a literal. Arrays in this order are half the size of objects; the saved state names the order, so that a change is seen.
const momentFields = Object.keys(noMoments) as readonly (keyof Moments)[];

/** The parts of a load that a restart of the balancer does not make untrue. */
export type Learning = Pick<NodeLoad, (typeof learnedParts)[number]>;

/** What was learned of a node, by the balancer's clock of now. */
export interface Restored {
  readonly learning: Learning;
  /** When its newest sample was taken; before the balancer's start, so it may be below 0. */
  readonly sampledAtMs: number;
}

/** A node's learning in the saved state: a list of numbers for each part, in the order of `savedFields`. */
export type SavedLearning = Readonly<Record<string, readonly number[]>>;

/** The order of numbers in a `SavedLearning`; one that was saved under another order means nothing now. */
export const savedFields: readonly string[] = momentFields;

/** What a node has taught so far: by its own reports, else what was restored; undefined before either. */
export function learningOf(node: {
  readonly load: NodeLoad | undefined;
  readonly restored?: Restored | undefined;
}): Restored | undefined {
  const { load, restored } = node;
  return load === undefined ? restored : { learning: load, sampledAtMs: load.sampledAtMs };
}

/** A restored learning's moments as they weigh at `nowMs`: it ages while its node is silent. */
export function agedLearning({ learning, sampledAtMs }: Restored, nowMs: number): Learning {
  const kept = learnedWeight(nowMs - sampledAtMs);
  const { byMessages, byConnections, byThroughput } = learning;
  return {
    byMessages: aged(byMessages, kept),
    byConnections: aged(byConnections, kept),
    byThroughput: aged(byThroughput, kept),
  };
}

/**
 * A load for the node's first report to follow, so that it goes on from what was learned. Nothing else of it
 * is used: no report has an empty epoch, and a new epoch starts smoothing and blackout afresh.
 */
export function loadBeforeReports({ learning, sampledAtMs }: Restored): NodeLoad {
  const { byMessages, byConnections, byThroughput } = learning;
  return { ...silentLoad, sampledAtMs, byMessages, byConnections, byThroughput };
}

const silentLoad = absorbReport(
  undefined,
  {
    pool: '',
    node: { id: '' },
    epoch: '',
    seq: 0,
    ageMs: 0,
    intervalMs: 1,
    connections: 0,
    signals: {},
    leaving: false,
  },
  {
    nowMs: 0,
    rule: {
      signals: [],
      combine: { combine: 'max', weights: {} },
      smoothingMs: 0,
      expiryMs: 0,
      autoSaturation: undefined,
    },
    relay: undefined,
  },
);

/** For the saved state; undefined when nothing has been learned. */
export function saveLearning(learning: Learning): SavedLearning | undefined {
  if (learnedParts.every((part) => learning[part].weight === 0)) return undefined;
  return Object.fromEntries(
    learnedParts.map((part) => [part, momentFields.map((field) => short(learning[part][field]))]),
  );
}

/** From the saved state; undefined for anything that `saveLearning` does not give. */
export function readLearning(saved: unknown): Learning | undefined {
  if (typeof saved !== 'object' || saved === null) return undefined;
  const [byMessages, byConnections, byThroughput] = learnedParts.map((part) =>
    readMoments(Object.hasOwn(saved, part) ? Reflect.get(saved, part) : undefined),
  );
  if (byMessages === undefined || byConnections === undefined || byThroughput === undefined) return undefined;
  return { byMessages, byConnections, byThroughput };
}

function readMoments(saved: unknown): Moments | undefined {
  if (!Array.isArray(saved) || saved.length !== momentFields.length) return undefined;
  const isSound = saved.every((each) => typeof each === 'number' && Number.isFinite(each) && each >= 0);
  if (!isSound) return undefined;
  // Proof of `as`: one finite number for each field, just looked at.
  return Object.fromEntries(momentFields.map((field, index) => [field, saved[index]])) as unknown as Moments;
}

function aged(moments: Moments, kept: number): Moments {
  // Sums of pairs that all weigh less. Proof of `as`: one number for each field.
  return Object.fromEntries(
    momentFields.map((field) => [field, moments[field] * kept]),
  ) as unknown as Moments;
}

// A millionth of a pair is far below its noise, keeps the file short, and is cheaper to get than digits that count.
function short(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
