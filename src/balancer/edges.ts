// The listeners that operators, agents and scrapers talk to, put together: admin, intake, metrics. Wiring only; those of
// clients are listeners.ts.
import type { Clock } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import type { Logger } from '../platform/logger.ts';
import type { Config } from '../policy/config.ts';
import type { Policy } from '../policy/policy.ts';
import type { PeersAnswer } from '../protocol/peering.ts';
import { createConfiguredAdmin } from './admin-wiring.ts';
import type { BalancerCore } from './core-wiring.ts';
import { createConfiguredIntake, reportersOf } from './intake-wiring.ts';
import { ConfiguredScalers } from './keda-wiring.ts';
import type { Phase } from './intake/readiness.ts';
import { createMetrics, type Metrics } from './metrics/metrics.ts';
import type { ConfiguredOutputs } from './outputs-wiring.ts';

/** What they are made of. */
export interface EdgeParts extends Pick<BalancerCore, 'registry' | 'events' | 'control' | 'scaling'> {
  readonly config: Config;
  readonly outputs: ConfiguredOutputs;
  /** Every policy that is loaded now. */
  readonly policies: () => Iterable<Policy>;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  readonly version: string;
  readonly relayForm: 'fast' | 'plain';
  readonly phase: () => Phase;
  readonly peers: () => PeersAnswer;
}

/** Bound ports; 0 for what is not there. */
export interface EdgePorts {
  readonly intake: number;
  readonly admin: number;
  /** The external scaler. */
  readonly keda: number;
}

/** Edges with a lifetime: `start`, then `stop`. */
export interface Edges {
  readonly metrics: Metrics;
  /** Binds them; resolves with their ports, 0 for what is not there. Rejects with HERALD_LISTEN_FAILED. */
  start(): Promise<EdgePorts>;
  /** Takes over what of a new configuration takes no restart. */
  reconfigure(config: Config): void;
  /** Ends in bounded time. Idempotent. */
  stop(): Promise<void>;
}

/** The edges of this configuration, not yet listening. */
export function createEdges(parts: EdgeParts): Edges {
  const { config, clock, log, version, control, scaling, registry, phase, outputs } = parts;
  const metrics = createMetrics({
    pools: registry.pools,
    clock,
    relayForm: parts.relayForm,
    version,
    control: () => control.figures(),
    scalingOf: (pool) => scaling.scaling(pool),
    outputs: () => outputs.figures(),
    peers: parts.peers,
  });
  const onInternalError = (error: unknown) => log.error({ err: error }, 'request failed');
  const shared = { registry, clock, feed: parts.events, control, onInternalError };
  const takeShed = (pool: string, node: string) => control.takeShed(pool, node);
  const scalers = new ConfiguredScalers(config, parts);
  const hooks = scalers.routes;
  const intake = createConfiguredIntake(config.intake, { ...shared, metrics, takeShed, phase, hooks });
  const { policies } = parts;
  const { webhooks } = outputs;
  const admin = createConfiguredAdmin(config, {
    ...shared,
    log,
    version,
    policies,
    scale: scaling,
    webhooks,
    peers: parts.peers,
  });
  return {
    metrics,
    async start() {
      const adminPort = await admin.start();
      const { socketPath, tcp } = config.admin;
      const overTcp = tcp && { host: tcp.bind.host, port: adminPort, tls: tcp.tls !== undefined };
      log.info({ listener: 'admin', socket: socketPath, ...overTcp }, 'listening');
      const { host, port } = await intake.start();
      log.info({ listener: 'intake', host, port }, 'listening');
      return { intake: port, admin: adminPort, keda: await scalers.start() };
    },
    reconfigure(next) {
      intake.reconfigure({ reporters: reportersOf(next.intake), tls: next.intake.tls });
      scalers.reconfigure(next);
      if (next.admin.tcp !== undefined) admin.reconfigure(next.admin.tcp);
    },
    async stop() {
      await Promise.all([intake.stop(), admin.stop(), scalers.stop()]);
    },
  };
}
