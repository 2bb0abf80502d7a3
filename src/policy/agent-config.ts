// A compiled agent.yaml: the settings of one sidecar agent. Frozen.
import type { Address } from './address.ts';

/** How raw numbers of a source become a signal: `value × scale`, or its growth per second × scale. */
export interface SourceReadingRule {
  /** `gauge`: the number as it is. `rate`: growth per second of a counter; a span in which it fell says nothing. */
  readonly as: 'gauge' | 'rate';
  /** Above 0; 1 when nothing is said. Turns percent into parts (0.01), seconds into milliseconds (1000). */
  readonly scale: number;
}

/** What a source that is asked by HTTP is allowed. */
export interface HttpSourceLimits {
  /** Sent as `Authorization`; undefined: none. Never logged. */
  readonly authorization: string | undefined;
  /** Whole request; the signal is missing when it takes longer. */
  readonly timeoutMs: number;
  /** A longer body ends the request and the signal is missing. */
  readonly maxBodyBytes: number;
}

/** Where the value of one signal comes from. */
export type SourceConfig = SourceReadingRule &
  (
    | {
        readonly kind: 'json';
        readonly url: URL;
        readonly http: HttpSourceLimits;
        /** Member names and array indexes from the root; empty: the body is the number. */
        readonly path: readonly (string | number)[];
      }
    | {
        readonly kind: 'prometheus';
        readonly url: URL;
        readonly http: HttpSourceLimits;
        readonly selector: PrometheusSelector;
        /** What to do with several series that match. */
        readonly combine: 'sum' | 'max' | 'mean';
      }
    | {
        readonly kind: 'file';
        readonly path: string;
        readonly maxBytes: number;
        /** Older content (by its modification time) is missing; Infinity: any age. */
        readonly maxAgeMs: number;
      }
    | {
        readonly kind: 'statsd';
        /** Name of the metric as it comes over the wire. */
        readonly name: string;
        /** A gauge that nobody has sent for this long is missing. */
        readonly maxAgeMs: number;
      }
  );

/** Which series of a Prometheus page are meant. */
export interface PrometheusSelector {
  readonly name: string;
  /** All must hold. */
  readonly labels: readonly {
    readonly label: string;
    readonly operator: '=' | '!=' | '=~' | '!~';
    readonly value: string;
  }[];
}

/** Whose CPU and memory are the node's. `cpus`: what it may use at most, where that cannot be read. */
export type MeasuredScope = { readonly cpus: number | undefined } &
  /** The whole machine. */
  (
    | { readonly kind: 'host' }
    /** The path of a cgroup below its mount point; undefined: the agent's own. */
    | { readonly kind: 'cgroup'; readonly path: string | undefined }
    /** One process with its children: by the file that holds its id, or by the TCP port at which it listens. */
    | { readonly kind: 'process'; readonly pidFile: string | undefined; readonly port: number | undefined }
  );

/** The settings of one sidecar. Paths are absolute. */
export interface AgentConfig {
  /** Intake URLs; may be empty when `agentCheck` is there. */
  readonly balancers: readonly URL[];
  /** Sent as `Authorization: Bearer …`; undefined: none. Never logged. */
  readonly token: string | undefined;
  readonly pool: string;
  readonly node: {
    /** Undefined: host name and port. */
    readonly id: string | undefined;
    /** Undefined: the reports' source address with `port`. */
    readonly address: Address | undefined;
    readonly port: number | undefined;
    readonly capacity: number | undefined;
    readonly zone: string | undefined;
    readonly version: string | undefined;
  };
  readonly intervalMs: number;
  readonly measure: MeasuredScope;
  /** TCP ports whose established connections are the node's; empty: none are counted. */
  readonly connectionPorts: readonly number[];
  /** By signal name: a builtin one of the application, or a custom one. */
  readonly sources: readonly { readonly signal: string; readonly source: SourceConfig }[];
  /** Where StatsD datagrams are taken; undefined when no source needs them. */
  readonly statsdBind: Address | undefined;
  readonly agentCheck:
    | {
        readonly bind: Address;
        /** By signal, above 0. */
        readonly saturation: Readonly<Record<string, number>>;
      }
    | undefined;
  readonly log: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
    readonly format: 'json' | 'pretty' | 'auto';
  };
}
