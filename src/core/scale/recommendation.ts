// What is recommended to whoever starts and stops nodes. How it is computed is in recommend.ts.

/** What the recommendation asks for, compared with the nodes that count now. */
export type ScaleAction = 'out' | 'in' | 'hold';

/** A node that a scale-in would take away. */
export interface Victim {
  readonly id: string;
  readonly zone: string;
  /** Open connections that leaving would disturb. */
  readonly connections: number;
  /** Why this one, in a few words with figures. */
  readonly reason: string;
}

/** What every recommendation says. Loads are in nodes: 1 is one node of the pool's usual size at saturation. */
interface Common {
  readonly atMs: number;
  /** Nodes that count: those that serve and those still starting. Nodes that drain, are in maint or down do not. */
  readonly nodes: number;
  /** Of these, nodes that have registered but do not carry their part yet. */
  readonly starting: number;
  /**
   * Nodes there should be, windows and steps applied, within min and max. Where load is not known: `nodes`, but no fewer
   * than min, and one where clients are there and nodes are not.
   */
  readonly desired: number;
  readonly action: ScaleAction;
  /** One sentence with the figures. */
  readonly reason: string;
  /**
   * At most as many as `nodes` is above `desired`, and at most `down.step` with those still leaving; the first to go
   * first. Empty where the platform chooses.
   */
  readonly victims: readonly Victim[];
}

/** From valid load data. */
export interface KnownRecommendation extends Common {
  readonly isKnown: true;
  /** Nodes there should be within min and max, without windows and steps: for autoscalers that have their own. */
  readonly wanted: number;
  /** Sum of the nodes' loads, unwindowed, 0 or more. */
  readonly totalLoad: number;
  /** The same as expected when a node started now would serve. */
  readonly forecastLoad: number;
  /** Sum of the sizes of the nodes that count. */
  readonly capacity: number;
  /** totalLoad ÷ capacity: the pool's utilization. 0 without nodes. */
  readonly load: number;
  /** Utilization that it aims at, 0..1. */
  readonly target: number;
  /** The additive signal that fills the nodes first. '' when there is no load. */
  readonly bottleneck: string;
}

/** Without them: holds, or goes out to min. Nothing is ever taken away on missing data. */
export interface UnknownRecommendation extends Common {
  readonly isKnown: false;
  readonly action: 'out' | 'hold';
}

/** How many nodes the work needs. */
export type Recommendation = KnownRecommendation | UnknownRecommendation;
