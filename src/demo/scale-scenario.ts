// What `herald demo --scale` goes through: a calm start, a rush, and an evening, in a minute and a half.
import type { TrafficShape } from './traffic.ts';

/** A whole run. */
export interface ScaleScenario {
  /** Time that one message takes on any node. */
  readonly serviceMs: number;
  readonly traffic: TrafficShape;
}

// At 60 % of 250 messages a second a node carries 75 clients: the curve asks for about two, six and two.
const serviceMs = 4;
const calm = { connections: 90, messagesPerSecond: 2 };
const rush = 4.5;

/** The run in `durationMs`. */
export function createScaleScenario(durationMs: number): ScaleScenario {
  return {
    serviceMs,
    traffic: {
      durationMs,
      ...calm,
      // Long enough that a drain has to move clients, short enough that the evening comes.
      holdMs: durationMs / 9,
      sigma: 1,
      rampMs: durationMs / 20,
      curve,
    },
  };
}

/** 1 until a tenth of the run is over, up to the rush by a quarter, there until half of it, and down again by 60 %. */
export function curve(part: number): number {
  if (part < 0.1 || part >= 0.6) return 1;
  if (part < 0.25) return 1 + ((rush - 1) * (part - 0.1)) / 0.15;
  if (part < 0.5) return rush;
  return rush - ((rush - 1) * (part - 0.5)) / 0.1;
}
