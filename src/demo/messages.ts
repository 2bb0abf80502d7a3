// What the demo's processes say to each other over their channel.
import type { ClientPlan } from './traffic.ts';

/** Settings of a node process. */
export interface NodeSettings {
  readonly id: string;
  /** Each gets every report. */
  readonly intakeUrls: readonly string[];
  /** Absent: the agent's default. */
  readonly reportIntervalMs?: number | undefined;
  readonly serviceMs: number;
}

export type ToNode =
  | { readonly kind: 'start'; readonly settings: NodeSettings }
  | { readonly kind: 'serviceMs'; readonly serviceMs: number }
  /** `part`: of its time that it spends on work which no message causes, 0..1. */
  | { readonly kind: 'ownWork'; readonly part: number }
  | { readonly kind: 'measure' }
  | { readonly kind: 'stop' };

export type FromNode =
  | { readonly kind: 'started' }
  | {
      readonly kind: 'measured';
      readonly utilization: number;
      readonly connections: number;
      readonly delayMs: number;
      readonly droppedTotal: number;
    }
  | { readonly kind: 'failed'; readonly message: string };

export type ToClients =
  | { readonly kind: 'start'; readonly url: string; readonly plans: readonly ClientPlan[] }
  | { readonly kind: 'stop' };

export type FromClients = {
  readonly kind: 'finished';
  readonly connected: number;
  /** Connections that were ended with a hint when to come back, and came. */
  readonly returned: number;
  /** Connections refused or lost, by reason. */
  readonly trouble: Readonly<Record<string, number>>;
  readonly answered: number;
  /** Delay of an answer, from sending to receiving. */
  readonly p50Ms: number;
  readonly p99Ms: number;
};
