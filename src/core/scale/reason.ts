// The sentence of a recommendation: its figures in the order in which they are computed. Decides nothing.
import type { ScaleStep } from '../../policy/policy.ts';
import { percent, rounded } from '../explain-node.ts';
import { tolerance, type ScalePolicy } from './history.ts';
import type { KnownRecommendation } from './recommendation.ts';
import type { ScaleNode, ScaleSample } from './scale-sample.ts';

/** Why windows and steps keep the number of nodes from what the load now needs. */
export type Hold =
  | { readonly kind: 'upAfter' | 'upStep' | 'downStep' }
  | { readonly kind: 'downAfter'; readonly steadyMs: number }
  | { readonly kind: 'settling'; readonly sinceShrunkMs: number }
  | { readonly kind: 'peak'; readonly peak: number; readonly apart: number }
  | { readonly kind: 'tolerance' }
  | { readonly kind: 'asked'; readonly asked: number }
  | { readonly kind: 'leaving'; readonly leaving: number };

type Figures = Omit<KnownRecommendation, 'isKnown' | 'action' | 'reason' | 'victims'>;

interface Context {
  readonly policy: ScalePolicy;
  readonly sample: ScaleSample;
  /** Nodes that the load needs now, without min and max. */
  readonly needed: number;
  readonly hold: Hold | undefined;
  readonly canSurvive: boolean;
}

// Above the target by this much, and above the pool as well, a node is hot rather than ordinarily uneven.
const hotBand = 0.1;

/** `total load 4.2 nodes of cpu ÷ target 60% = 7: 8 with one to lose; 6 serve, 1 is starting`, and what holds it. */
export function knownReason(figures: Figures, context: Context): string {
  return [
    loadPart(figures, context),
    nodesPart(figures),
    missingPart(context.sample),
    holdPart(figures, context),
    levelPart(figures, context),
  ]
    .filter((part) => part !== '')
    .join('; ');
}

/** Why nothing is known, and what is recommended all the same. */
export function unknownReason(of: {
  readonly sample: ScaleSample | undefined;
  readonly counted: readonly ScaleNode[];
  readonly desired: number;
  readonly policy: ScalePolicy;
}): string {
  const { sample, counted, desired, policy } = of;
  if (sample === undefined) return 'load is not known yet: nothing has been measured';
  const { length } = counted;
  if (length === 0) return emptyReason(sample, desired, policy);
  const known = counted.filter(({ utilization }) => !Number.isNaN(utilization)).length;
  const why = `load is not known: ${known} of ${length} ${noun(length)} have valid data`;
  if (desired === length) return `${why}; holds at ${length}`;
  return desired === policy.min ? `${why}; min is ${policy.min}` : `${why}; ${desired} were asked for before`;
}

function emptyReason({ waiting }: ScaleSample, desired: number, { min }: ScalePolicy): string {
  const clients = waiting > 0 ? `, and ${waiting} ${waiting === 1 ? 'client waits' : 'clients wait'}` : '';
  const why = `load is not known: no node serves${clients}`;
  if (desired === 0) return `${why}; holds at 0`;
  if (desired === min) return `${why}; min is ${min}`;
  return desired === 1 ? `${why}; 1 to begin with` : `${why}; ${desired} were asked for before`;
}

function loadPart(figures: Figures, { policy, sample, needed, canSurvive }: Context): string {
  const { totalLoad, forecastLoad, target, bottleneck } = figures;
  const of = bottleneck === '' ? '' : ` of ${bottleneck}`;
  const idle = sample.load?.idle ?? 0;
  const plain = forecastLoad / target;
  const smoothed =
    two(forecastLoad) === two(totalLoad)
      ? ''
      : ` (${two(forecastLoad)} smoothed and ${rounded(policy.startTimeMs / 1000)} s ahead)`;
  const sum = `total load ${two(totalLoad)} nodes${of}${smoothed} ÷ target ${percent(target)} = ${two(plain)}`;
  return `${sum}: ${needed}${idlePart(figures, needed, idle)}${reservePart(policy, canSurvive)}`;
}

/** Below a hundredth of a node it changes nothing that anybody would ask about. */
function idlePart({ nodes }: Figures, needed: number, idle: number): string {
  return needed > nodes && idle >= 0.01 ? `, each using ${percent(idle)} by being there` : '';
}

function reservePart({ survive, surviveOf }: ScalePolicy, canSurvive: boolean): string {
  if (survive === 0) return '';
  if (!canSurvive) return `, without reserve: there are no more than ${survive} ${noun(survive, 'zone')}`;
  const what = surviveOf === 'zone' ? ` ${noun(survive, 'zone')}` : '';
  return ` with ${survive === 1 ? 'one' : survive}${what} to lose`;
}

function nodesPart({ nodes, starting }: Figures): string {
  const serving = nodes - starting;
  const serve = `${serving} ${serving === 1 ? 'serves' : 'serve'}`;
  return starting === 0 ? serve : `${serve}, ${starting} ${starting === 1 ? 'is' : 'are'} starting`;
}

function missingPart({ missing }: ScaleSample): string {
  if (missing === 0) return '';
  return `${missing} without valid data ${missing === 1 ? 'is' : 'are'} taken for full before any goes`;
}

function holdPart({ desired, nodes }: Figures, { policy, hold, needed }: Context): string {
  const { min, max } = policy;
  if (needed < min && desired === min) return `min is ${min}`;
  if (desired === max && (needed > max || nodes > max)) return `max is ${max}`;
  return hold === undefined ? '' : holdText(hold, policy, nodes);
}

function holdText(hold: Hold, { up, down, startTimeMs }: ScalePolicy, nodes: number): string {
  switch (hold.kind) {
    case 'upAfter':
      return `holds at ${nodes}: more must be needed for ${seconds(up.afterMs)}`;
    case 'tolerance':
      return `up to ${percent(tolerance)} above the target is tolerated`;
    case 'asked':
      return `${hold.asked} were asked for within ${seconds(startTimeMs)} and are awaited`;
    case 'upStep':
      return `up.step lets ${stepText(up.step)} start at once`;
    case 'downStep':
      return `down.step takes ${stepText(down.step)} at once`;
    case 'downAfter':
      return `holds at ${nodes}: known for ${seconds(hold.steadyMs)}, fewer must suffice for ${seconds(down.afterMs)}`;
    case 'settling':
      return `holds at ${nodes}: one went ${seconds(hold.sinceShrunkMs)} ago`;
    case 'peak':
      return `holds at ${nodes}: up to ${two(hold.peak)} within ${seconds(down.afterMs)}, too much for one fewer${apartPart(hold.apart)}`;
    case 'leaving':
      return `holds at ${nodes}: ${hold.leaving} still ${hold.leaving === 1 ? 'leaves' : 'leave'}`;
  }
}

function stepText(step: ScaleStep): string {
  return typeof step === 'object' ? percent(step.share) : `${step}`;
}

function apartPart(apart: number): string {
  return apart >= 0.005 ? `, which must leave ${percent(apart)} of the target free` : '';
}

/** A hot node in a pool that fits is no reason for more nodes: that is said, since somebody looking at it would ask. */
function levelPart({ load, target, desired, nodes, starting }: Figures, { sample }: Context): string {
  // What is starting takes load off the others by itself.
  if (load > target || desired > nodes || starting > 0) return '';
  let hottest: ScaleNode | undefined;
  for (const node of sample.nodes) {
    if (node.phase === 'serving' && node.utilization > (hottest?.utilization ?? 0)) hottest = node;
  }
  if (hottest === undefined || hottest.utilization < Math.max(target, load) + hotBand) return '';
  return `${hottest.id} is at ${percent(hottest.utilization)} and the pool at ${percent(load)}: a rebalance can level that, a node more is not needed`;
}

function noun(count: number, word = 'node'): string {
  return count === 1 ? word : `${word}s`;
}

function seconds(ms: number): string {
  return `${rounded(ms / 1000)} s`;
}

/** Two decimals at most: a hundredth of a node is below any noise. */
function two(value: number): number {
  return Math.round(value * 100) / 100;
}
