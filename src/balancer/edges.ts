// The listeners that operators, agents and scrapers talk to, put together: admin, intake, metrics. Wiring only; those of
// clients are listeners.ts.
import type { Clock } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import type { ListeningSockets } from '../platform/listening-sockets.ts';
import type { Logger } from '../platform/logger.ts';
import type { Config } from '../policy/config.ts';
import type { Policy } from '../policy/policy.ts';
import type { PeersAnswer } from '../protocol/peering.ts';
import type { WorkerDetail } from '../protocol/workers.ts';
import { createConfiguredAdmin } from './admin-wiring.ts';
import type { TakeoverDesk } from './admin/takeover-port.ts';
import type { BalancerCore } from './core-wiring.ts';
import { createConfiguredIntake, reportersOf } from './intake-wiring.ts';
import { ConfiguredScalers } from './keda-wiring.ts';
import type { Phase } from './intake/readiness.ts';
import { createMetrics, type Metrics } from './metrics/metrics.ts';
import type { TakeoverFigures } from './metrics/takeover-metrics.ts';
import type { ConfiguredOutputs } from './outputs-wiring.ts';
import type { RelayForms } from './state/ports.ts';

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
  readonly relayForms: () => RelayForms;
  /** Bytes that wait for slow clients. */
  readonly waitingBytes: () => number;
  readonly phase: () => Phase;
  readonly sockets: ListeningSockets;
  /** Undefined: this process cannot be replaced. */
  readonly takeover: (TakeoverDesk & { figures(): TakeoverFigures }) | undefined;
  readonly peers: () => PeersAnswer;
  /** Empty where this process relays itself. */
  readonly workers: () => readonly WorkerDetail[];
}

/** Bound ports; 0 for what is not there. */
export interface EdgePorts {
  readonly intake: number;
  readonly admin: number;
}

/** Edges with a lifetime: `start`, then `stop`. */
export interface Edges {
  readonly metrics: Metrics;
  /** Binds intake and admin; resolves with their ports, 0 for what is not there. Rejects with HERALD_LISTEN_FAILED. */
  start(): Promise<EdgePorts>;
  /**
   * Binds what cannot be inherited; resolves with the port of the external scaler, 0 without. HERALD_LISTEN_FAILED,
   * unless clients are served already and it is not needed for that.
   */
  startScalers(options: { readonly isNeeded: boolean }): Promise<number>;
  /** Stops accepting; requests in progress go on until `stop`. `keepsFile`: another process has the admin socket. */
  retire(options: { readonly keepsFile: boolean }): Promise<void>;
  /** Takes over what of a new configuration takes no restart. */
  reconfigure(config: Config): void;
  /** Ends in bounded time. `keepsFile` as for `retire`. Idempotent. */
  stop(options: { readonly keepsFile: boolean }): Promise<void>;
}

/** The edges of this configuration, not yet listening. */
export function createEdges(parts: EdgeParts): Edges {
  const { config, clock, log, version, control, scaling, registry, phase, outputs, sockets, takeover } =
    parts;
  const metrics = createConfiguredMetrics(parts);
  const onInternalError = (error: unknown) => log.error({ err: error }, 'request failed');
  const shared = { registry, clock, feed: parts.events, control, onInternalError };
  const takeShed = (pool: string, node: string) => control.takeShed(pool, node);
  const scalers = new ConfiguredScalers(config, parts);
  const hooks = scalers.routes;
  const intake = createConfiguredIntake(config.intake, {
    ...shared,
    metrics,
    takeShed,
    phase,
    hooks,
    sockets,
    passGate: () => takeover?.passGate(),
  });
  const { policies } = parts;
  const { webhooks } = outputs;
  const admin = createConfiguredAdmin(config, {
    ...shared,
    log,
    version,
    policies,
    scale: scaling,
    webhooks,
    takeover,
    sockets,
    peers: parts.peers,
    workers: parts.workers,
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
      return { intake: port, admin: adminPort };
    },
    startScalers: ({ isNeeded }) =>
      scalers.start().catch((error: unknown) => scalersFailed(error, { isNeeded, log })),
    async retire(options) {
      intake.retire();
      await Promise.all([admin.retire(options), scalers.stop()]);
    },
    reconfigure(next) {
      intake.reconfigure({ reporters: reportersOf(next.intake), tls: next.intake.tls });
      scalers.reconfigure(next);
      if (next.admin.tcp !== undefined) admin.reconfigure(next.admin.tcp);
    },
    async stop(options) {
      await Promise.all([intake.stop(), admin.stop(options), scalers.stop()]);
    },
  };
}

function createConfiguredMetrics(parts: EdgeParts): Metrics {
  const { registry, clock, relayForms, waitingBytes, version, control, scaling, outputs, takeover } = parts;
  return createMetrics({
    pools: registry.pools,
    clock,
    relayForms,
    waitingBytes,
    version,
    control: () => control.figures(),
    scalingOf: (pool) => scaling.scaling(pool),
    outputs: () => outputs.figures(),
    peers: parts.peers,
    workers: parts.workers,
    ...(takeover && { takeover: () => takeover.figures() }),
  });
}

/** The port that there is then. Throws what it was given where nothing is served yet. */
function scalersFailed(error: unknown, { isNeeded, log }: { isNeeded: boolean; log: Logger }): number {
  if (isNeeded) throw error;
  log.error({ err: error }, 'the external scaler does not listen');
  return 0;
}
