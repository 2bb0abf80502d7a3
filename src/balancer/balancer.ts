// One balancer process, put together: state, loops, edges. Wiring only; every decision lives in a room below.
import { isDeepStrictEqual } from 'node:util';
import type { Assessment } from '../core/assess.ts';
import type { Clock } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import type { LoadedConfig } from '../platform/config.ts';
import { unixKey } from '../platform/listening-sockets.ts';
import type { Logger } from '../platform/logger.ts';
import { createNodeLinks, type NodeLinks } from '../platform/node-links.ts';
import type { EventRecord } from '../protocol/operations.ts';
import { aloneAnswer } from '../protocol/peering.ts';
import type { ClientSide, WorkersOption } from './client-side.ts';
import { createClientSide, createConfiguredCrew } from './client-side-wiring.ts';
import { watchCertificates, type CertificateWatch } from './certificates.ts';
import { createCore, type BalancerCore } from './core-wiring.ts';
import { WishMemory } from './control/wish-memory.ts';
import type { EventFeed, ScaleExecutor, ScaleFeed } from './control/ports.ts';
import { openSharedStore, Peering } from './peering.ts';
import { createEdges, type EdgePorts, type Edges } from './edges.ts';
import { registrationRule } from './intake-wiring.ts';
import type { RunningControl } from './control/control.ts';
import type { Phase } from './intake/readiness.ts';
import { ConfiguredOutputs } from './outputs-wiring.ts';
import { retire } from './retire.ts';
import { createConfiguredState } from './saving.ts';
import { poolSettings, restartNeededFor } from './settings.ts';
import type { StopReport } from './state/ports.ts';
import type { DataPlane } from './state/ports.ts';
import type { Registry } from './state/registry.ts';
import type { SharedStore } from './state/shared-store.ts';
import type { SavedState } from './state/saved-state.ts';
import { Takeovers, type Heritage } from './takeover-wiring.ts';
import type { Crew } from './workers/crew.ts';

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
  /** What starts and stops the nodes of a pool; absent, or undefined for a pool: recommendations are told only. */
  readonly executorOf?: (pool: string) => ScaleExecutor | undefined;
  /** How long after the start it is asked nothing; absent: 30 s. Shorter only where no node was there before. */
  readonly scaleGraceMs?: number;
  /** What it takes to replace another process and to be replaced; absent: neither. */
  readonly heritage?: Heritage;
  /** What is shared with other balancers; absent: what `state` of the configuration says. */
  readonly sharedStore?: SharedStore;
  /** Processes that serve the clients; absent: this one does. */
  readonly workers?: WorkersOption | undefined;
}

/** What came of a new configuration. */
export interface Reconfigured {
  /** Whether it differs from the last one. */
  readonly isChanged: boolean;
  /** Sections that differ from what was started with and take a restart to change. */
  readonly needRestart: readonly string[];
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
  /** What is recommended to whoever starts and stops nodes. */
  readonly scaling: ScaleFeed;
  /** Webhooks and scaling drivers. */
  readonly outputs: ConfiguredOutputs;
  /** Replacing this process by a new one. */
  readonly takeovers: Takeovers;
  readonly #options: BalancerOptions;
  readonly #core: BalancerCore;
  readonly #crew: Crew | undefined;
  readonly #clients: ClientSide;
  #edges: Edges | undefined;
  readonly #memory = new WishMemory();
  #peering: Peering | undefined;
  #saved: SavedState | undefined;
  #certificates: CertificateWatch | undefined;
  readonly #links: NodeLinks;
  #ports: EdgePorts = { intake: 0, admin: 0 };
  #kedaPort = 0;
  #loaded: BalancerSettings;
  #phase: Phase = 'starting';

  constructor(options: BalancerOptions) {
    const { loaded, clock, rng, log, executorOf = () => undefined, scaleGraceMs } = options;
    this.#options = options;
    this.#loaded = { config: loaded.config, policies: loaded.policies };
    const crew =
      options.workers &&
      createConfiguredCrew({ clock, log, core: () => this.#core, metrics: () => this.#edges?.metrics });
    this.#crew = crew;
    this.#links = createNodeLinks(loaded.config.pools);
    const { linkOf } = this.#links;
    const pools = poolSettings(loaded.config, loaded.policies);
    const configuredOr = (pool: string) => this.outputs.executorOf(pool) ?? executorOf(pool);
    const isLeader = () => this.#peering?.isLeader ?? true;
    this.#core = createCore({
      clock,
      rng,
      log,
      pools,
      executorOf: configuredOr,
      scaleGraceMs,
      isLeader,
      dataPlaneOf: crew && ((of) => crew.dataPlane(of)),
      linkOf,
    });
    ({
      registry: this.registry,
      dataPlane: this.dataPlane,
      events: this.events,
      control: this.control,
      scaling: this.scaling,
    } = this.#core);
    this.outputs = new ConfiguredOutputs(loaded.config, {
      ...options,
      events: this.events,
      scaling: this.scaling,
      isLeader,
    });
    this.takeovers = new Takeovers({
      ...options,
      ...this.#core,
      heritage: options.heritage,
      saved: () => this.#saved,
      shared: () => this.#peering,
      openCount: () => this.openCount,
      relayForMs: () => this.#loaded.config.takeover.relayForMs,
      release: (taken) => this.#retire(taken),
    });
    this.#clients = createClientSide({
      ...options,
      core: this.#core,
      sockets: this.takeovers.sockets,
      links: this.#links,
      settings: () => this.#loaded,
      workers: crew && options.workers && { crew, option: options.workers },
    });
  }

  /** The bound port of the intake; 0 before `start`. */
  get intakePort(): number {
    return this.#ports.intake;
  }

  /** The bound port of the admin API over TCP; 0 before `start`, and where it is on its socket only. */
  get adminPort(): number {
    return this.#ports.admin;
  }

  /** The bound port of KEDA's external scaler; 0 before `start`, and where none is configured. */
  get kedaPort(): number {
    return this.#kedaPort;
  }

  /** The bound port of a public listener; HERALD_INTERNAL when there is no such listener. */
  listenerPort(name: string): number {
    return this.#clients.port(name);
  }

  /** Connections and exchanges under way. */
  get openCount(): number {
    return this.#clients.openCount;
  }

  /** A pool as placement sees it now. HERALD_POOL_UNKNOWN when there is none. */
  assess(pool: string): Assessment {
    return this.registry.pool(pool).assessment(this.#options.clock.nowMs());
  }

  /** Binds everything. Rejects with HERALD_LISTEN_FAILED after ending what was bound before. */
  async start(): Promise<void> {
    try {
      await this.#begin(await this.#bind());
    } catch (error) {
      this.takeovers.refuse(error);
      await this.stop();
      throw error;
    }
  }

  /**
   * Stops accepting, asks what is open to leave within `graceMs` (0: not at all), then ends the rest at once.
   * Resolves with what came of the connections.
   */
  async stop(graceMs = 0): Promise<StopReport> {
    this.#phase = 'stopping';
    const keepsFile = this.takeovers.keepsSocketFile;
    this.takeovers.stop();
    await this.#clients.stopAccepting();
    const resigned = this.#peering?.resign();
    // The farewell tells everybody; a drain would only count them twice.
    this.control.stop();
    this.#core.scaling.stop();
    this.#core.scaleDriver.stop();
    this.#core.placement.close();
    const report = await this.#clients.end(graceMs);
    this.#certificates?.stop();
    this.#core.health.stop();
    await this.#edges?.stop({ keepsFile });
    await this.outputs.stop(graceMs);
    await resigned;
    await this.#peering?.stop();
    this.registry.stop();
    await this.#saved?.stop();
    return report;
  }

  /** Takes a new configuration over: policies, pools, static nodes and routes at once. */
  reconfigure({ config, policies }: BalancerSettings): Reconfigured {
    const isChanged = !isDeepStrictEqual(this.#loaded, { config, policies });
    this.#clients.reconfigure({ config, policies });
    this.#edges?.metrics.countReload(isChanged ? 'replaced' : 'unchanged');
    const needRestart = restartNeededFor(this.#options.loaded.config, config);
    if (!isChanged) return { isChanged, needRestart };
    this.registry.configure(poolSettings(config, policies));
    this.#loaded = { config, policies };
    this.#edges?.reconfigure(config);
    this.#certificates?.use(config);
    this.#links.reconfigure(config.pools);
    this.outputs.reconfigure(config);
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

  /** Restores what is known and binds what clients, agents and operators connect to. */
  async #bind(): Promise<{ edges: Edges; saved: SavedState }> {
    const { clock, log } = this.#options;
    const edges = createEdges({
      ...this.#options,
      ...this.#core,
      config: this.#loaded.config,
      outputs: this.outputs,
      policies: () => this.#loaded.policies.values(),
      relayForms: () => this.#clients.relayForms,
      waitingBytes: () => this.#clients.waitingBytes,
      phase: () => this.#phase,
      sockets: this.takeovers.sockets,
      takeover: this.#options.heritage && this.takeovers,
      peers: () => this.#peering?.view() ?? aloneAnswer,
      workers: () => this.#crew?.view() ?? [],
    });
    this.#edges = edges;
    const { metrics } = edges;
    const saved = createConfiguredState(this.#loaded.config.state, {
      registry: this.registry,
      clock,
      log,
      metrics,
      mayRegister: registrationRule(this.#loaded.config.intake),
      control: this.control.section,
      words: this.#memory.section,
      webhooks: this.outputs.webhooks.section,
    });
    this.#saved = saved;
    await saved.restore(await this.takeovers.inherit());
    await this.#startPeering();
    this.#ports = await edges.start();
    this.#certificates = watchCertificates({ clock, log, metrics });
    this.#certificates.use(this.#loaded.config);
    await this.#clients.start(metrics);
    return { edges, saved };
  }

  /** Begins everything that acts by itself. */
  async #begin({ edges, saved }: { edges: Edges; saved: SavedState }): Promise<void> {
    this.#phase = 'serving';
    this.#core.health.start();
    this.control.start();
    // What acts outside, and what is written, is one process's: until the one before has let go it is that one's.
    await this.takeovers.serve();
    await this.#peering?.speak();
    this.#kedaPort = await edges.startScalers({ isNeeded: this.takeovers.generation === 1 });
    this.outputs.start();
    this.#core.scaleDriver.start();
    this.#core.scaling.start();
    // Not before everything is bound: a second Herald that finds the sockets taken must not write over the first's.
    saved.start();
  }

  /** Stops accepting and acting: another process does, on the sockets that it has taken. */
  #retire(taken: ReadonlySet<string>): Promise<void> {
    this.takeovers.sockets.handOn(taken);
    const keepsFile = taken.has(unixKey(this.#options.loaded.config.admin.socketPath));
    const { outputs } = this;
    return retire({ ...this.#core, clients: this.#clients, outputs, edges: this.#edges, keepsFile });
  }

  #tell(type: string, message: string, facts: EventRecord['facts']): void {
    this.events.tell({ type, pool: '', node: '', by: '', why: '', message, facts });
  }

  /** Before the first client: what operators want and what others carry is known then. */
  async #startPeering(): Promise<void> {
    const { clock, rng, sharedStore } = this.#options;
    const { redis } = this.#loaded.config.state;
    const { inheritedPeer: inherited, generation } = this.takeovers;
    const place = inherited?.place;
    const current = () => this.#loaded.config.state.redis;
    const store =
      sharedStore ?? (redis && (await openSharedStore(redis, { clock, rng, inherited: place, current })));
    if (store === undefined) return;
    const { registry, control } = this;
    const { tell } = this.#core;
    const memory = this.#memory;
    this.#peering = new Peering({ store, registry, control, clock, rng, memory, inherited, tell });
    // Until the process before has let go that one is the peer.
    await this.#peering.start({ isQuiet: generation > 1 });
  }
}
