// What has been learned of a pool, in numbers for people and metrics. The one reader of the fits beside score.ts; it
// decides nothing.
import type { LearnedFigure, NodeLearning, PoolLearning } from '../protocol/learned.ts';
import type { Assessment } from './assess.ts';
import { amountWhenFull, ownSlope, type Moments, type SharedFit } from './moments.ts';
import { currentLearning, type Learning } from './restored.ts';
import type { SignalRule } from './signal.ts';
import type { NodeView } from './snapshot.ts';

/** What a pool has taught: as a whole, and node by node in the order of the snapshot. */
export interface Learned {
  readonly pool: PoolLearning;
  readonly nodes: readonly NodeLearning[];
}

type Fits = Pick<Assessment, 'costs' | 'slopes' | 'throughputs'>;

/** Reads an assessment. `signals` are the policy's: they say whether a saturation is to be learned at all. */
export function learnedOf(assessment: Assessment, signals: readonly SignalRule[]): Learned {
  const { snapshot } = assessment;
  const learnings = snapshot.nodes.map((node) => currentLearning(node, snapshot.atMs));
  const hasAuto = signals.some(({ saturation }) => saturation === 'auto');
  return {
    pool: poolLearning(assessment, learnings),
    nodes: snapshot.nodes.flatMap((node, index) => {
      const learning = learnings[index];
      return learning === undefined
        ? []
        : [nodeLearning(node, { index, fits: assessment, learning, hasAuto })];
    }),
  };
}

function poolLearning({ costs, slopes }: Fits, learnings: readonly Learning[]): PoolLearning {
  return {
    messageCost: orNull(costs.slope),
    idleByMessages: costs.slope === undefined ? null : costs.intercept,
    messagePairs: learnings.reduce((sum, { byMessages }) => sum + byMessages.weight, 0),
    connectionSlope: orNull(slopes.slope),
    idleByConnections: slopes.slope === undefined ? null : slopes.intercept,
    connectionPairs: learnings.reduce((sum, { byConnections }) => sum + byConnections.weight, 0),
  };
}

function nodeLearning(
  node: NodeView,
  { index, fits, learning, hasAuto }: { index: number; fits: Fits; learning: Learning; hasAuto: boolean },
): NodeLearning {
  const figure = (fit: SharedFit, moments: Moments) => figureOf(node, { index, fit, moments });
  return {
    messageCost: figure(fits.costs, learning.byMessages),
    connectionSlope: figure(fits.slopes, learning.byConnections),
    autoSaturation: hasAuto ? orNull(amountWhenFull(fits.throughputs, index)) : null,
    throughputPairs: learning.byThroughput.weight,
    isRestored: node.load === undefined && node.restored !== undefined,
  };
}

function figureOf(
  { capacity }: NodeView,
  { index, fit, moments }: { index: number; fit: SharedFit; moments: Moments },
): LearnedFigure {
  const value = orNull(fit.slopes[index]);
  const own = orNull(ownSlope(moments, fit.intercept));
  return {
    value,
    own,
    ofPool: orNull(fit.slope === undefined ? undefined : fit.slope / (capacity ?? 1)),
    amountWhenFull: orNull(amountWhenFull(fit, index)),
    pairs: moments.weight,
    from: wordOf({ value, own, capacity }),
  };
}

function wordOf(of: {
  value: number | null;
  own: number | null;
  capacity: number | undefined;
}): LearnedFigure['from'] {
  if (of.value === null) return 'none';
  if (of.capacity !== undefined) return 'declared';
  return of.own === null ? 'pool' : 'own';
}

function orNull(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
