// A compiled policy: what policy-schema.ts and compile-policy.ts make of a YAML file. Frozen; a change is a new value.
import type { PickerName } from '../core/pick/picker-name.ts';
import type { SignalRule } from '../core/signal.ts';

/** Nodes at once: a number from 1 on, a part of the pool's nodes (0..1), or as many as are needed. */
export type ScaleStep = number | { readonly share: number } | 'all';

/** A cookie tells which node a client was on. */
export interface CookieRule {
  readonly kind: 'cookie';
  readonly name: string;
  /** Affinity yields to placement when the node reports more than this; 1 is a full node. */
  readonly yieldAt: number;
  /** `auto`: where the client came by https. */
  readonly secure: 'auto' | 'always' | 'never';
  readonly httpOnly: boolean;
  readonly sameSite: 'lax' | 'strict' | 'none';
  /** Undefined: until the browser closes. */
  readonly maxAgeMs: number | undefined;
}

/** A hash tells which node a client belongs to. */
export interface HashRule {
  readonly kind: 'header' | 'query' | 'path' | 'source';
  /** Of the header (lower case) or of the parameter; '' for the others. */
  readonly name: string;
  /** Counted from 1; 0 but for `path`. */
  readonly segment: number;
  /** As for cookies. */
  readonly yieldAt: number;
  /** Most connections of a node, times what it is entitled to, above 1; Infinity: no bound. */
  readonly bound: number;
}

/** Whether and how a client that returns goes to the node it was on. */
export type AffinityRule = { readonly kind: 'none' } | CookieRule | HashRule;

/** A policy ready for use. Durations are milliseconds, percentages fractions, rates per second. */
export interface Policy {
  readonly name: string;
  readonly signals: readonly SignalRule[];
  readonly score: {
    /** `max`: a node is as full as its fullest resource; `mean`: weighted mean of the additive signals. */
    readonly combine: 'max' | 'mean';
    /** Weights for `mean` by signal name; absent means 1. */
    readonly weights: Readonly<Record<string, number>>;
    /** Time constant of the smoothing of reports; 0 takes them raw. */
    readonly smoothingMs: number;
  };
  readonly reports: {
    /** How often agents of this pool are expected to report. */
    readonly intervalMs: number;
    /** How long a node's first reports are not yet trusted. */
    readonly blackoutMs: number;
    /** A last report older than this is no data. */
    readonly expiryMs: number;
  };
  readonly place: {
    readonly picker: PickerName;
    /** Span whose expected arrivals are filled in at once; `auto` follows the age of the information. */
    readonly horizonMs: number | 'auto';
    /** Upper bound of one node's share, from four eligible nodes on; 0..1. */
    readonly maxShare: number;
    /** Nodes tried for one connection before the client hears of it, 1..10. */
    readonly attempts: number;
    /** Span over which a node that joins is let in step by step; 0 is off. */
    readonly slowStartMs: number;
    /** New connections per second that one node takes. */
    readonly connectRatePerSecond: number;
  };
  readonly admit: {
    /** New connections per second that the pool takes through this balancer. */
    readonly ratePerSecond: number | 'off';
    /** What the rates give in this span may come at once. */
    readonly burstMs: number;
    /** Predicted utilization from which on a node gets no new connection; 1 is a full node. */
    readonly fillTo: number;
    /** After want of room for this long clients are let in above `fillTo`; 0: it holds nobody. */
    readonly overfillAfterMs: number;
    /** Clients that wait at most; 0: nobody waits. */
    readonly queueLength: number;
    readonly maxWaitMs: number;
    /** Connections and requests that the pool has at a time through this balancer. */
    readonly maxConnections: number | 'off';
    /** How a WebSocket client hears that it gets no place: inside WebSocket, or by status. */
    readonly refuse: 'close' | 'http';
    /** Whether plain requests without a node of their own are counted and wait. */
    readonly requests: 'pass' | 'admit';
  };
  readonly affinity: AffinityRule;
  readonly drain: {
    readonly deadlineMs: number;
    readonly ratePerSecond: number | 'auto';
    /** WebSocket close code of a goodbye: 1000..1014 where allowed on the wire, or 3000..4999. */
    readonly closeCode: number;
    /** Words of a goodbye's close reason, at most 100 bytes; Herald adds the retry hint. '' for the hint alone. */
    readonly closeReason: string;
  };
  readonly rebalance: {
    readonly mode: 'off' | 'advise' | 'auto';
    /** No node below this utilization is hot; 0..1. */
    readonly floor: number;
    /** How far above the mean a node must be to be hot; 0..1. */
    readonly band: number;
    readonly forMs: number;
    /** Part of the pool's connections shed per second at most. */
    readonly ratePerSecond: number;
    readonly cooldownMs: number;
    readonly choose: 'heaviest' | 'newest' | 'oldest' | 'random';
  };
  readonly scale: {
    readonly min: number;
    readonly max: number;
    /** Utilization of the pool that is aimed at; above 0, up to 1. */
    readonly target: number;
    /** How long a new node needs until it takes connections. */
    readonly startTimeMs: number;
    /** Span of the load that level and trend are read from. */
    readonly windowMs: number | 'auto';
    /** Nodes or zones whose loss there is room for, 0 or more, below `max`. */
    readonly survive: number;
    readonly surviveOf: 'node' | 'zone';
    /** How long more nodes must have been needed; how many may be started at once. */
    readonly up: { readonly afterMs: number; readonly step: ScaleStep };
    /** How long fewer nodes must have sufficed, at least `startTimeMs`; how many are taken away at once. */
    readonly down: {
      readonly afterMs: number;
      readonly step: ScaleStep;
      /** When a node that is taken away must be empty. */
      readonly drainMs: number;
    };
    /** Who chooses the nodes that go, and by what. */
    readonly victims: 'any' | 'ordinal' | 'external';
  };
  readonly health: {
    /** Active check: none, over HTTP, by a WebSocket handshake, or by connecting only. */
    readonly check:
      | { readonly kind: 'off' }
      | {
          readonly kind: 'http' | 'tcp' | 'websocket';
          /** Path asked for; '' for TCP. */
          readonly path: string;
          readonly intervalMs: number;
          readonly timeoutMs: number;
          /** Failures in a row before a node is down. */
          readonly fall: number;
          /** Successes in a row before it is up again. */
          readonly rise: number;
        };
    readonly passive: {
      /** Failed dials and handshakes within `windowMs` that eject a node; 0 is off. */
      readonly errors: number;
      readonly windowMs: number;
      readonly ejectMs: number;
      /** Largest part of the pool's nodes ejected at once; 0..1. */
      readonly maxEjected: number;
    };
  };
}
