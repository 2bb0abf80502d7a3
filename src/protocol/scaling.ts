// The JSON of recommendations, shared by the balancer that writes it, its outputs and the CLI that reads it.
// Types only. A number that is not known is null.
import type { ScaleAction, Victim } from '../core/scale/recommendation.ts';

/** `GET /v1/pools/{pool}/scaling`: what is recommended for one pool. Loads are in nodes at saturation. */
export interface Scaling {
  readonly pool: string;
  /** When it was computed: ISO 8601, UTC. */
  readonly at: string;
  /** `unknown`: no valid load data; the loads are null, and `desiredNodes` is what there is. */
  readonly state: 'known' | 'unknown';
  readonly action: ScaleAction;
  /** Nodes there should be, windows and steps applied. */
  readonly desiredNodes: number;
  /** The same without windows and steps, for autoscalers that have their own. */
  readonly wantedNodes: number | null;
  /** Nodes that serve or are starting. */
  readonly nodes: number;
  readonly startingNodes: number;
  /** Mean utilization: totalLoad ÷ capacity. */
  readonly load: number | null;
  /** Sum over the pool: what HPA and KEDA divide by their replicas. */
  readonly totalLoad: number | null;
  readonly forecastLoad: number | null;
  readonly capacity: number | null;
  /** Utilization that it aims at, 0..1. */
  readonly target: number;
  readonly min: number;
  readonly max: number;
  /** The signal that fills the nodes first; '' when there is none. */
  readonly bottleneck: string;
  /** Whether the pool should run at all: true while `min` is 1 or more. */
  readonly isActive: boolean;
  /** Automatic actions are stopped: drivers do nothing. */
  readonly isFrozen: boolean;
  /** One sentence with the figures. */
  readonly reason: string;
  /** Nodes that a scale-in takes, the cheapest to drain first. */
  readonly victims: readonly Victim[];
}
