// One balancer process, put together: state, loops, edges. Wiring only; every decision lives in a room below.
import { isDeepStrictEqual } from 'node:util';
import type { Assessment } from '../core/assess.ts';
import type { Clock } from '../core/clock.ts';
import { HeraldError } from '../core/error.ts';
import type { Rng } from '../core/rng.ts';
import type { LoadedConfig } from '../platform/config.ts';
import type { Logger } from '../platform/logger.ts';
import type { EventRecord } from '../protocol/operations.ts';
import { buildRouteTable, type RouteTable } from '../policy/route-table.ts';
import { createConfiguredAdmin } from './admin-wiring.ts';
import type { Admin } from './admin/admin.ts';
import { createCore } from './core-wiring.ts';
import type { EventFeed } from './control/ports.ts';
import type { HealthChecker } from './health/checker.ts';
import { createConfiguredIntake, registrationRule, reportersOf } from './intake-wiring.ts';
import type { Intake } from './intake/intake.ts';
import type { RunningControl } from './control/control.ts';
import type { Phase } from './intake/readiness.ts';
import { createConfiguredListener } from './listeners.ts';
import { createMetrics, type Metrics } from './metrics/metrics.ts';
import type { HttpListener } from './proxy/listener.ts';
import { proxyEvents, relayEndSink } from './proxy-events.ts';
import { Relays } from './proxy/relays.ts';
import { createTransport } from './proxy/transport.ts';
import type { Transport } from './proxy/wire.ts';
import { ConfiguredOutputs } from './outputs-wiring.ts';
import { createConfiguredState } from './saving.ts';
import { poolSettings, restartNeededFor } from './settings.ts';
import { endGracefully, type StopReport } from './shutdown.ts';
import type { RunningPlacement } from './state/placement.ts';
import type { DataPlane } from './state/ports.ts';
import type { Registry } from './state/registry.ts';
import type { SavedState } from './state/saved-state.ts';

/** What a balancer starts from. */
export type BalancerSettings = Pick<LoadedConfig, 'config' | 'policies'>;

/** What a balancer is made of. */
export interface BalancerOptions {
  readonly loaded: BalancerSettings;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  /** Version of this package. */
  readonly version: string;
}

/** What came of a new configuration. */
export interface Reconfigured {
  /** Whether it differs from the last one. */
  readonly isChanged: boolean;
  /** Sections that differ from what was started with and take a restart to change. */
  readonly needRestart: readonly string[];
}

interface Edges {
  readonly intake: Intake;
  readonly admin: Admin;
  readonly metrics: Metrics;
}

/** A balancer with a lifetime: `start` once, `stop` once. */
export class Balancer {
  readonly registry: Registry;
  /** Open connections of this balancer, and the way to ask them to leave. */
  readonly dataPlane: DataPlane;
  /** What happens, for whoever listens. */
  readonly events: EventFeed;
  /** Drains, freezes and their operations. */
  readonly control: RunningControl;
  /** Webhooks and scaling drivers. */
  readonly outputs: ConfiguredOutputs;
  readonly #options: BalancerOptions;
  readonly #relays: Relays;
  readonly #placement: RunningPlacement;
  readonly #health: HealthChecker;
  readonly #listeners = new Map<string, { listener: HttpListener; port: number }>();
  #edges: Edges | undefined;
  #saved: SavedState | undefined;
  #intakePort = 0;
  #adminPort = 0;
  #loaded: BalancerSettings;
  #route: RouteTable;
  #phase: Phase = 'starting';

  constructor(options: BalancerOptions) {
    const { loaded, clock, rng, log } = options;
    this.#options = options;
    this.#loaded = { config: loaded.config, policies: loaded.policies };
    this.#route = buildRouteTable(loaded.config.pools);
    this.#relays = new Relays(clock);
    const core = createCore({ clock, rng, log, pools: poolSettings(loaded.config, loaded.policies) });
    ({
      registry: this.registry,
      dataPlane: this.dataPlane,
      events: this.events,
      control: this.control,
      placement: this.#placement,
      health: this.#health,
    } = core);
    this.outputs = new ConfiguredOutputs(loaded.config, {
      ...options,
      events: core.events,
      scaling: undefined,
    });
  }

  /** The bound port of the intake; 0 before `start`. */
  get intakePort(): number {
    return this.#intakePort;
  }

  /** The bound port of the admin API over TCP; 0 before `start`, and where it is on its socket only. */
  get adminPort(): number {
    return this.#adminPort;
  }

  /** The bound port of a public listener; HERALD_INTERNAL when there is no such listener. */
  listenerPort(name: string): number {
    const bound = this.#listeners.get(name);
    if (bound === undefined) throw new HeraldError('HERALD_INTERNAL', `there is no listener '${name}'`);
    return bound.port;
  }

  /** Connections and exchanges under way. */
  get openCount(): number {
    return [...this.#listeners.values()].reduce((sum, { listener }) => sum + listener.openCount, 0);
  }

  /** A pool as placement sees it now. HERALD_POOL_UNKNOWN when there is none. */
  assess(pool: string): Assessment {
    return this.registry.pool(pool).assessment(this.#options.clock.nowMs());
  }

  /** Binds everything. Rejects with HERALD_LISTEN_FAILED after ending what was bound before. */
  async start(): Promise<void> {
    const { clock, log } = this.#options;
    try {
      const { form } = this.#loaded.config.relay;
      const transport = await createTransport({ form, clock });
      const { fallbackReason } = transport;
      log.info({ form: transport.form, ...(fallbackReason && { fallbackReason }) }, 'relay form chosen');
      this.#edges = this.#createEdges(transport);
      const { metrics } = this.#edges;
      this.#saved = createConfiguredState(this.#loaded.config.state, {
        registry: this.registry,
        clock,
        log,
        metrics,
        mayRegister: registrationRule(this.#loaded.config.intake),
        control: this.control.section,
        webhooks: this.outputs.webhooks.section,
      });
      await this.#saved?.restore();
      await this.#startEdges(this.#edges);
      await this.#startListeners(transport, metrics);
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#health.start();
    this.control.start();
    this.outputs.start();
    // Not before everything is bound: a second Herald that finds the sockets taken must not write over the first's.
    this.#saved?.start();
    this.#phase = 'serving';
  }

  /**
   * Stops accepting, asks what is open to leave within `graceMs` (0: not at all), then ends the rest at once.
   * Resolves with what came of the connections.
   */
  async stop(graceMs = 0): Promise<StopReport> {
    this.#phase = 'stopping';
    const listeners = [...this.#listeners.values()].map(({ listener }) => listener);
    await Promise.all(listeners.map((listener) => listener.stopAccepting()));
    // The farewell tells everybody; a drain would only count them twice.
    this.control.stop();
    this.#placement.close();
    const report = await endGracefully(this.#shutdownDeps(), graceMs);
    this.#health.stop();
    await Promise.all(listeners.map((listener) => listener.stop()));
    this.#relays.stop();
    await Promise.all([this.#edges?.intake.stop(), this.#edges?.admin.stop()]);
    await this.outputs.stop(graceMs);
    this.registry.stop();
    await this.#saved?.stop();
    return report;
  }

  /** Takes a new configuration over: policies, pools, static nodes and routes at once. */
  reconfigure({ config, policies }: BalancerSettings): Reconfigured {
    const isChanged = !isDeepStrictEqual(this.#loaded, { config, policies });
    this.#edges?.metrics.countReload(isChanged ? 'replaced' : 'unchanged');
    const needRestart = restartNeededFor(this.#options.loaded.config, config);
    if (!isChanged) return { isChanged, needRestart };
    this.registry.configure(poolSettings(config, policies));
    this.#route = buildRouteTable(config.pools);
    this.#loaded = { config, policies };
    this.#edges?.intake.reconfigure({ reporters: reportersOf(config.intake), tls: config.intake.tls });
    this.outputs.reconfigure(config);
    if (config.admin.tcp !== undefined) this.#edges?.admin.reconfigure(config.admin.tcp);
    this.#tell('configuration.reloaded', 'The configuration has been reloaded.', {
      needRestart: needRestart.join(', '),
    });
    return { isChanged, needRestart };
  }

  /** Counts a configuration that was refused: the old one goes on. */
  refuseConfiguration(): void {
    this.#edges?.metrics.countReload('refused');
    this.#tell('configuration.refused', 'A configuration was refused: the old one goes on.', {});
  }

  #tell(type: string, message: string, facts: EventRecord['facts']): void {
    this.events.tell({ type, pool: '', node: '', by: '', why: '', message, facts });
  }

  #shutdownDeps(): Parameters<typeof endGracefully>[0] {
    const { clock, rng } = this.#options;
    const policies = new Map([...this.registry.pools].map(([name, { policy }]) => [name, policy]));
    return { clock, rng, policies, dataPlane: this.dataPlane, openCount: () => this.openCount };
  }

  #createEdges(transport: Transport): Edges {
    const { clock, log, version } = this.#options;
    const { config } = this.#loaded;
    const { registry } = this;
    const metrics = createMetrics({
      pools: registry.pools,
      clock,
      relayForm: transport.form,
      version,
      control: () => this.control.figures(),
      outputs: () => this.outputs.figures(),
    });
    const onInternalError = (error: unknown) => log.error({ err: error }, 'request failed');
    const shared = { registry, clock, feed: this.events, control: this.control, onInternalError };
    const policies = () => this.#loaded.policies.values();
    return {
      metrics,
      intake: createConfiguredIntake(config.intake, {
        ...shared,
        metrics,
        takeShed: (pool, node) => this.control.takeShed(pool, node),
        phase: () => this.#phase,
      }),
      admin: createConfiguredAdmin(config, {
        ...shared,
        log,
        version,
        policies,
        webhooks: this.outputs.webhooks,
      }),
    };
  }

  async #startEdges({ intake, admin }: Edges): Promise<void> {
    const { log } = this.#options;
    const { config } = this.#loaded;
    this.#adminPort = await admin.start();
    const { socketPath, tcp } = config.admin;
    const overTcp = tcp && { host: tcp.bind.host, port: this.#adminPort, tls: tcp.tls !== undefined };
    log.info({ listener: 'admin', socket: socketPath, ...overTcp }, 'listening');
    const { host, port } = await intake.start();
    this.#intakePort = port;
    log.info({ listener: 'intake', host, port }, 'listening');
  }

  async #startListeners(transport: Transport, metrics: Metrics): Promise<void> {
    const { log, clock, rng } = this.#options;
    const { registry } = this;
    const parts = {
      transport,
      relays: this.#relays,
      registry,
      placement: this.#placement,
      route: (host: string, path: string) => this.#route(host, path),
      clock,
      rng,
      events: proxyEvents(metrics, log),
      onRelayEnd: relayEndSink(metrics, log),
    };
    for (const settings of this.#loaded.config.listeners) {
      const listener = createConfiguredListener(settings, parts);
      const { host, port } = await listener.start();
      this.#listeners.set(settings.name, { listener, port });
      log.info({ listener: settings.name, host, port }, 'listening');
    }
  }
}
