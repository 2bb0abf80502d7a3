// One balancer process, put together: state, loops, edges. Wiring only; every decision lives in a room below.
import type { Assessment } from '../core/assess.ts';
import type { Clock } from '../core/clock.ts';
import { HeraldError } from '../core/error.ts';
import type { Rng } from '../core/rng.ts';
import type { LoadedConfig } from '../platform/config.ts';
import type { Logger } from '../platform/logger.ts';
import { buildRouteTable, type RouteTable } from '../policy/route-table.ts';
import { createHealthChecker } from './health/checker.ts';
import { createProbe } from './health/probe.ts';
import type { Intake } from './intake/intake.ts';
import { createConfiguredIntake } from './intake-wiring.ts';
import { createConfiguredListener } from './listeners.ts';
import type { HttpListener } from './proxy/listener.ts';
import { Relays } from './proxy/relays.ts';
import { createTransport, type TransportForm } from './proxy/transport.ts';
import { poolSettings, restartNeededFor } from './settings.ts';
import { waitUntilIdle } from './shutdown.ts';
import { createPlacement } from './state/placement.ts';
import { Registry } from './state/registry.ts';

/** What a balancer is made of. */
export interface BalancerOptions {
  readonly loaded: Pick<LoadedConfig, 'config' | 'policies'>;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  readonly transport: TransportForm;
}

interface Bound {
  readonly listener: HttpListener;
  readonly port: number;
}

/** A balancer with a lifetime: `start` once, `stop` once. */
export class Balancer {
  readonly registry: Registry;
  readonly #options: BalancerOptions;
  readonly #relays: Relays;
  readonly #health: ReturnType<typeof createHealthChecker>;
  readonly #listeners = new Map<string, Bound>();
  #intake: Intake | undefined;
  #intakePort = 0;
  #loaded: BalancerOptions['loaded'];
  #route: RouteTable;
  #phase: 'starting' | 'serving' | 'stopping' = 'starting';

  constructor(options: BalancerOptions) {
    const { loaded, clock, rng, log } = options;
    this.#options = options;
    this.#loaded = loaded;
    this.#route = buildRouteTable(loaded.config.pools);
    this.#relays = new Relays(clock);
    this.registry = new Registry({
      clock,
      rng,
      visibility: { countsMessages: true, countsConnections: true },
      notify: (event, facts) => log.info(facts, event),
    });
    this.registry.configure(poolSettings(loaded.config, loaded.policies));
    this.#health = createHealthChecker({ registry: this.registry, probe: createProbe(clock), clock, rng });
  }

  /** The bound port of the intake. */
  get intakePort(): number {
    return this.#intakePort;
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
    try {
      await this.#bind();
    } catch (error) {
      await this.stop(0);
      throw error;
    }
    this.#health.start();
    this.#phase = 'serving';
  }

  /**
   * Stops accepting, lets what is open end by itself for `graceMs`, then ends the rest at once: the number of
   * connections that were cut.
   */
  async stop(graceMs = 0): Promise<number> {
    this.#phase = 'stopping';
    const listeners = [...this.#listeners.values()].map(({ listener }) => listener);
    await Promise.all(listeners.map((listener) => listener.stopAccepting()));
    const cut = await waitUntilIdle(this.#options.clock, () => this.openCount, graceMs);
    this.#health.stop();
    await Promise.all(listeners.map((listener) => listener.stop()));
    this.#relays.stop();
    await this.#intake?.stop();
    this.registry.stop();
    return cut;
  }

  /** Takes a new configuration over: policies, pools, static nodes and routes at once; the rest needs a restart. */
  reconfigure(loaded: BalancerOptions['loaded']): void {
    const sections = restartNeededFor(this.#loaded.config, loaded.config);
    this.registry.configure(poolSettings(loaded.config, loaded.policies));
    this.#route = buildRouteTable(loaded.config.pools);
    this.#loaded = loaded;
    const { log } = this.#options;
    log.info({ pools: loaded.config.pools.length, policies: loaded.policies.size }, 'configuration reloaded');
    if (sections.length > 0) log.warn({ sections }, 'these sections change with a restart only');
  }

  async #bind(): Promise<void> {
    const { log, transport: form, clock, rng } = this.#options;
    const { config } = this.#loaded;
    const transport = await createTransport({ form, clock });
    log.info({ form: transport.form, fallbackReason: transport.fallbackReason }, 'relay form chosen');
    const placement = createPlacement({
      pools: this.registry.pools,
      clock,
      notify: (event, facts) => log.warn(facts, event),
    });
    this.#intake = createConfiguredIntake(config.intake, {
      registry: this.registry,
      clock,
      log,
      phase: () => this.#phase,
    });
    this.#intakePort = (await this.#intake.start()).port;
    log.info({ listener: 'intake', host: config.intake.bind.host, port: this.#intakePort }, 'listening');
    const parts = {
      transport,
      relays: this.#relays,
      registry: this.registry,
      placement,
      route: (host: string, path: string) => this.#route(host, path),
      clock,
      rng,
      events: {
        refused: (pool: string, code: string) => log.debug({ pool, code }, 'refused'),
        nodeFailed: (pool: string, node: string, reason: string, error: unknown) =>
          log.debug({ pool, node, reason, err: error }, 'node failed'),
      },
      onRelayEnd: (pool: string, reason: string) => log.trace({ pool, reason }, 'relay ended'),
    };
    for (const settings of config.listeners) {
      const listener = createConfiguredListener(settings, parts);
      const { host, port } = await listener.start();
      this.#listeners.set(settings.name, { listener, port });
      log.info({ listener: settings.name, host, port }, 'listening');
    }
  }
}
