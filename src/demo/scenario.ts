// The demo's fleet and its clock: who is small, who has a noisy neighbour, who joins late.
import type { TrafficShape } from './traffic.ts';

/** One node of the fleet. */
export interface DemoNode {
  readonly id: string;
  /** Time that one message takes: 4 ms is a node of full size, 8 ms one of half size. */
  readonly serviceMs: number;
  /** When it joins, in parts of the run. */
  readonly joinsAt: number;
  /** Part of its time that it spends on work which no message causes, and from when on, in parts of the run. */
  readonly ownWork?: { readonly from: number; readonly part: number };
  /** A neighbour on the same host that takes from it for a while, in parts of the run. */
  readonly noise?: { readonly from: number; readonly to: number; readonly slowdown: number };
  /** What is special, for people. */
  readonly note: string;
}

/** A whole demo. */
export interface Scenario {
  readonly nodes: readonly DemoNode[];
  readonly traffic: TrafficShape;
  readonly warmUpMs: number;
}

/** What is special about each node now, for people; `part` is how much of the run is over, 0..1. */
export function notesAt({ nodes }: Scenario, part: number): ReadonlyMap<string, string> {
  return new Map(nodes.map(({ id, note, noise }) => [id, isNoisy(noise, part) ? `${note}, now` : note]));
}

/** Whether the neighbour takes from the node now. */
export function isNoisy(noise: DemoNode['noise'], part: number): noise is NonNullable<DemoNode['noise']> {
  return noise !== undefined && part >= noise.from && part < noise.to;
}

const fullMs = 4;

/** The fleet at rest could do 1,125 messages a second; 300 clients send about 600. */
export function createScenario(durationMs: number): Scenario {
  return {
    nodes: [
      { id: 'alpha', serviceMs: fullMs, joinsAt: 0, note: '' },
      { id: 'bravo', serviceMs: fullMs, joinsAt: 0, note: '' },
      { id: 'charlie', serviceMs: 2 * fullMs, joinsAt: 0, note: 'half size' },
      {
        id: 'delta',
        serviceMs: fullMs,
        joinsAt: 0,
        noise: { from: 0.55, to: 0.8, slowdown: 1.7 },
        note: 'noisy neighbour',
      },
      { id: 'echo', serviceMs: fullMs, joinsAt: 0.35, note: 'joins late' },
    ],
    traffic: {
      durationMs,
      connections: 300,
      holdMs: durationMs / 3,
      messagesPerSecond: 2,
      sigma: 1.5,
      rampMs: durationMs / 10,
    },
    warmUpMs: durationMs / 4,
  };
}
