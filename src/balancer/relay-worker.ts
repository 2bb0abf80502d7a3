// A worker: accepts, places and relays, and nothing else. Reports, operators and scrapers are the main process's
// business, which tells what has to be known here and hears what is carried.
import type { Clock } from '../core/clock.ts';
import { HeraldError } from '../core/error.ts';
import type { Rng } from '../core/rng.ts';
import { ListeningSockets } from '../platform/listening-sockets.ts';
import { createNodeLinks, type NodeLinks } from '../platform/node-links.ts';
import type { Logger } from '../platform/logger.ts';
import type { MainChannel, WorkerPlace } from '../platform/worker-process.ts';
import { createCounts } from './metrics/metrics.ts';
import { PublicListeners } from './public-listeners.ts';
import { poolSettings } from './settings.ts';
import { endGracefully } from './shutdown.ts';
import type { DataPlane, RelayForms, StopReport } from './state/ports.ts';
import { createLearningSection } from './state/learning-section.ts';
import type { Notify } from './state/notice.ts';
import { createPlacement, type RunningPlacement } from './state/placement.ts';
import { createRegistrationsSection } from './state/registrations-section.ts';
import { Registry } from './state/registry.ts';
import { createRelayDataPlane } from './state/relay-data-plane.ts';
import { Hearing } from './workers/hearing.ts';
import type { ToWorker, WorkerSettings, WorkerUse } from './workers/messages.ts';
import { Saying } from './workers/saying.ts';

/** What a worker is made with. */
export interface RelayWorkerParts {
  readonly place: WorkerPlace;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logOf: (settings: WorkerSettings) => Logger;
  readonly use: () => WorkerUse;
}

// The main process is gone, and with it whoever tells of drains and loads: clients find another balancer, or its next
// start, without all coming at once.
const orphanGraceMs = 60_000;
// A service manager that ends what is left waits for it before it starts the next: then it has to be soon.
const hurriedGraceMs = 5000;
const orphanWaitMs = 250;
// Notices that concern all; others the main process has from the same reports.
const ownNotices = /^(node ejected|node not ejected|overfill|admission)/;

/** A worker with a lifetime: `run` once. */
export class RelayWorker {
  readonly #parts: RelayWorkerParts;
  #running: Running | undefined;
  #tellEnd: (report: StopReport) => void = () => {};
  #isEnding = false;
  #isHurried = false;

  constructor(parts: RelayWorkerParts) {
    this.#parts = parts;
  }

  /** Works until the main process says stop or is gone; resolves when everything has ended. */
  async run(): Promise<StopReport> {
    const { channel } = this.#parts.place;
    const ended = new Promise<StopReport>((resolve) => (this.#tellEnd = resolve));
    channel.onMessage((message) => this.#heard(message));
    channel.onGone(() => this.#orphaned());
    channel.send({ type: 'ready' });
    return ended;
  }

  /** Somebody wants every process of the service to end: what matters only once the main process is gone. */
  hurry(): void {
    this.#isHurried = true;
  }

  #orphaned(): void {
    void this.#running?.listeners.stopAccepting();
    const graceOf = () => (this.#isHurried ? hurriedGraceMs : orphanGraceMs);
    this.#parts.clock.schedule(orphanWaitMs, () => this.#end(graceOf()));
  }

  #heard(message: ToWorker): void {
    if (message.type === 'begin') return void this.#begin(message);
    if (message.type === 'stop') return this.#end(message.graceMs);
    const running = this.#running;
    if (running === undefined) return;
    if (message.type === 'reports') running.hearing.reports(message.reports);
    else if (message.type === 'others') running.hearing.others(message.others, message.isWhole);
    else if (message.type === 'nodes') running.hearing.states(message.nodes);
    else if (message.type === 'clients') running.listeners.hearClients(message.listeners);
    else if (message.type === 'shed') running.hearing.shed(message.orders);
    else if (message.type === 'watch') running.saying.watch(message.pool);
    else if (message.type === 'configure') running.configure(message.settings);
    else void running.listeners.stopAccepting();
  }

  async #begin(begin: ToWorker & { type: 'begin' }): Promise<void> {
    const { channel } = this.#parts.place;
    const running = new Running(begin, this.#parts);
    this.#running = running;
    try {
      const relayForms = await running.start(begin);
      channel.send({ type: 'serving', relayForms });
    } catch (error) {
      const code = error instanceof HeraldError ? error.code : 'HERALD_INTERNAL';
      const reason = error instanceof Error ? error.message : String(error);
      channel.send({ type: 'failed', code, reason });
      this.#end(0);
    }
  }

  #end(graceMs: number): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    void this.#endWithin(graceMs);
  }

  async #endWithin(graceMs: number): Promise<void> {
    const report = (await this.#running?.stop(graceMs)) ?? { closed: 0, refusedByPeer: 0, cut: 0 };
    this.#parts.place.channel.send({ type: 'stopped', report });
    this.#tellEnd(report);
  }
}

/** What a worker has from `begin` on. */
class Running {
  readonly hearing: Hearing;
  readonly saying: Saying;
  readonly listeners: PublicListeners;
  readonly #parts: RelayWorkerParts;
  readonly #channel: MainChannel;
  readonly #registry: Registry;
  readonly #dataPlane: DataPlane;
  readonly #links: NodeLinks;
  readonly #placement: RunningPlacement;
  readonly #counts: ReturnType<typeof createCounts>;

  constructor({ settings, workers }: ToWorker & { type: 'begin' }, parts: RelayWorkerParts) {
    const { clock, rng, place, use } = parts;
    const { channel } = place;
    this.#parts = parts;
    this.#channel = channel;
    const notify = this.#noticesOf('info');
    const visibility = { countsMessages: true, countsConnections: true };
    const registry = new Registry({ clock, rng, visibility, notify });
    registry.configure(poolSettings(settings.config, settings.policies));
    const { pools } = registry;
    this.#registry = registry;
    this.#dataPlane = createRelayDataPlane({ pools, clock });
    this.#placement = createPlacement({ pools, clock, notify: this.#noticesOf('warn') });
    this.#counts = createCounts(pools);
    // Their files, where they have any, are the main process's.
    const sockets = new ListeningSockets(place.sockets);
    sockets.handOn(place.sockets.keys());
    this.#links = createNodeLinks(settings.config.pools);
    this.listeners = new PublicListeners({
      config: settings.config,
      clock,
      rng,
      log: parts.logOf(settings),
      registry,
      placement: this.#placement,
      sockets,
      links: this.#links,
      processes: workers,
    });
    const send = channel.send.bind(channel);
    this.hearing = new Hearing({ registry, dataPlane: this.#dataPlane, clock, send });
    this.saying = new Saying({
      clock,
      pools,
      dataPlane: this.#dataPlane,
      openCount: () => this.listeners.openCount,
      takeClientNews: () => this.listeners.takeClientNews(),
      waitingBytes: () => this.listeners.waitingBytes,
      counted: () => this.#counts.series(),
      use,
      send,
    });
  }

  /** Knows everything before the first client; resolves when every listener accepts. */
  async start(begin: ToWorker & { type: 'begin' }): Promise<RelayForms> {
    const sections = [
      createRegistrationsSection(this.#registry, () => true),
      createLearningSection(this.#registry, this.#parts.clock),
    ];
    for (const section of sections) section.restore(begin.sections[section.name], 0);
    this.hearing.reports(begin.reports);
    this.hearing.states(begin.nodes);
    this.hearing.others(begin.others, true, true);
    this.listeners.hearClients(begin.clients);
    await this.listeners.probe();
    await this.listeners.start(this.#counts);
    this.saying.start();
    return this.listeners.relayForms;
  }

  configure({ config, policies }: WorkerSettings): void {
    this.#registry.configure(poolSettings(config, policies));
    this.#links.reconfigure(config.pools);
    this.listeners.reconfigure(config);
  }

  async stop(graceMs: number): Promise<StopReport> {
    const { clock, rng } = this.#parts;
    await this.listeners.stopAccepting();
    this.#placement.close();
    const policies = new Map([...this.#registry.pools].map(([name, { policy }]) => [name, policy]));
    const openCount = () => this.listeners.openCount;
    const report = await endGracefully(
      { clock, rng, policies, dataPlane: this.#dataPlane, openCount },
      graceMs,
    );
    await this.listeners.stop();
    this.saying.stop();
    this.#registry.stop();
    return report;
  }

  #noticesOf(level: 'info' | 'warn'): Notify {
    return (event, facts) => {
      if (!ownNotices.test(event)) return;
      const { pool, node, ejectMs } = facts;
      if (event === 'node ejected' && typeof pool === 'string' && typeof node === 'string')
        this.#channel.send({ type: 'ejected', pool, node, forMs: Number(ejectMs) });
      this.#channel.send({ type: 'notice', level, event, facts });
    };
  }
}
