// What was learned, in the JSON of the admin API: of a pool and of its nodes. Types only; null is what is not known.

/** Utilization that one more of something adds to a node: learned, or taken from elsewhere. */
export interface LearnedFigure {
  /** What placement reckons with; null until it or the pool has learned one. */
  readonly value: number | null;
  /** What the node's own pairs say; null while they are too few. */
  readonly own: number | null;
  /** What the pool says for a node of this declared capacity. */
  readonly ofPool: number | null;
  /** How much of it fills the node: (1 − idle utilization) ÷ value. Null without a value, or with one of 0. */
  readonly amountWhenFull: number | null;
  /** Pairs that `own` rests on, old ones counting less; 0 without any. */
  readonly pairs: number;
  /** Where `value` comes from: the node's own pairs, the pool's median, or the declared capacity. */
  readonly from: 'own' | 'pool' | 'declared' | 'none';
}

/** What was learned of one node. */
export interface NodeLearning {
  /** Utilization for each relayed message per second. */
  readonly messageCost: LearnedFigure;
  /** Utilization for each connection. */
  readonly connectionSlope: LearnedFigure;
  /** Throughput in messages/s that `saturation: auto` stands for; null until learned, or where no signal says auto. */
  readonly autoSaturation: number | null;
  readonly throughputPairs: number;
  /** It all comes from before the balancer's restart: the node has not reported since. */
  readonly isRestored: boolean;
}

/** What was learned of a pool: medians of its nodes, for one of capacity 1. */
export interface PoolLearning {
  readonly messageCost: number | null;
  /** Utilization of a node that no messages are relayed to; null until a cost is learned. */
  readonly idleByMessages: number | null;
  /** Pairs of all nodes. */
  readonly messagePairs: number;
  readonly connectionSlope: number | null;
  /** Utilization of a node without connections; null until a slope is learned. */
  readonly idleByConnections: number | null;
  readonly connectionPairs: number;
}
