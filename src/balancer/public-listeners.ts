// The listeners that clients connect to, in the process that relays: started together, stopped together.
import { AccessLog } from './access-log.ts';
import type { Clock } from '../core/clock.ts';
import { HeraldError } from '../core/error.ts';
import type { Rng } from '../core/rng.ts';
import { Descriptors } from '../platform/descriptors.ts';
import type { ListeningSockets } from '../platform/listening-sockets.ts';
import type { NodeLinks } from '../platform/node-links.ts';
import type { Logger } from '../platform/logger.ts';
import type { Config } from '../policy/config.ts';
import { buildRouteTable, type RouteTable } from '../policy/route-table.ts';
import { createConfiguredListener } from './listeners.ts';
import type { Counts } from './metrics/metrics.ts';
import { ClientCounts } from './proxy/client-counts.ts';
import type { HttpListener } from './proxy/listener.ts';
import { proxyEvents, relayEndSink } from './proxy-events.ts';
import { Relays } from './proxy/relays.ts';
import { createTransport } from './proxy/transport.ts';
import type { Transport } from './proxy/wire.ts';
import type { Placement, RelayForms } from './state/ports.ts';
import type { Registry } from './state/registry.ts';
import type { ListenerClients, OwnListenerClients } from './workers/client-words.ts';

/** What they are made of. */
export interface PublicListenersParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  readonly registry: Registry;
  readonly placement: Placement;
  readonly sockets: ListeningSockets;
  /** How connections to nodes begin; whoever made them has them follow the configuration. */
  readonly links: NodeLinks;
  /** Processes that relay for this balancer; what they may hold together is divided or shared. Absent: this one only. */
  readonly processes?: number;
}

/** Listeners with a lifetime: `probe`, `start`, maybe `stopAccepting`, then `stop`. */
export class PublicListeners {
  readonly #parts: PublicListenersParts;
  readonly #accessLog: AccessLog;
  #config: Config;
  readonly #relays: Relays;
  readonly #bound = new Map<string, { listener: HttpListener; port: number }>();
  readonly #shared: ReadonlyMap<string, SharedListener>;
  #transport: Transport | undefined;
  #descriptors: Descriptors | undefined;
  #route: RouteTable;

  constructor(parts: PublicListenersParts) {
    this.#parts = parts;
    this.#config = parts.config;
    this.#accessLog = new AccessLog(parts.config.accessLog, parts);
    this.#shared = sharedListeners(parts.config, parts.processes ?? 1);
    const maxWaitingBytes = parts.config.relay.maxWaitingBytes / (parts.processes ?? 1);
    this.#relays = new Relays(parts.clock, { maxWaitingBytes });
    this.#route = buildRouteTable(parts.config.pools);
  }

  /** Connections and exchanges under way. */
  get openCount(): number {
    return this.#listeners.reduce((sum, listener) => sum + listener.openCount, 0);
  }

  /** Bytes that wait for slow clients, an upper bound. */
  get waitingBytes(): number {
    return this.#relays.waitingBytes;
  }

  /** As the probe found; `plain` before it. */
  get relayForms(): RelayForms {
    const { form = 'plain', tlsForm = 'plain' } = this.#transport ?? {};
    return { form, tls: tlsForm };
  }

  /** What other processes have to know of the clients here, and have not been told; taken for told then. */
  takeClientNews(): readonly OwnListenerClients[] {
    return [...this.#shared].flatMap(([listener, { counts, connectionsPerAddress }]) => {
      const news = counts.takeNews();
      return news === undefined ? [] : [{ listener, connectionsPerAddress, ...news }];
    });
  }

  /** What other processes have. */
  hearClients(listeners: readonly ListenerClients[]): void {
    for (const { listener, ...news } of listeners) this.#shared.get(listener)?.counts.hear(news);
  }

  get #listeners(): HttpListener[] {
    return [...this.#bound.values()].map(({ listener }) => listener);
  }

  /** The bound port of a listener; HERALD_INTERNAL when there is no such listener. */
  port(name: string): number {
    const bound = this.#bound.get(name);
    if (bound === undefined) throw new HeraldError('HERALD_INTERNAL', `there is no listener '${name}'`);
    return bound.port;
  }

  /** Finds out how bytes can be carried here. */
  async probe(): Promise<void> {
    const { config, clock, log } = this.#parts;
    this.#transport = await createTransport({ form: config.relay.form, clock });
    const { form, tlsForm: tls, fallbackReason } = this.#transport;
    log.info({ form, tls, ...(fallbackReason && { fallbackReason }) }, 'relay form chosen');
  }

  /** Binds and accepts. Rejects with HERALD_LISTEN_FAILED. */
  async start(metrics: Counts): Promise<void> {
    const { log, config, clock } = this.#parts;
    const transport = this.#transport;
    if (transport === undefined) throw new HeraldError('HERALD_INTERNAL', 'listeners start before the probe');
    const events = proxyEvents(metrics, log, clock);
    const descriptors = new Descriptors(clock, (code) => events.acceptFailed(code));
    this.#descriptors = descriptors;
    const parts = {
      ...this.#parts,
      transport,
      relays: this.#relays,
      route: (host: string, path: string) => this.#route(host, path),
      affinityKeys: () => this.#config.affinity.keys,
      marks: () => this.#config.forwarding,
      access: this.#accessLog,
      linkOf: this.#parts.links.linkOf,
      clientCounts: (listener: string) => this.#shared.get(listener)?.counts,
      events,
      roomBehind: (descriptor: number) => descriptors.roomBehind(descriptor),
      onRelayEnd: relayEndSink(metrics, log),
    };
    for (const settings of config.listeners) {
      const listener = createConfiguredListener(settings, parts);
      const { host, port } = await listener.start();
      this.#bound.set(settings.name, { listener, port });
      log.info({ listener: settings.name, host, port }, 'listening');
    }
  }

  /** Takes a configuration over, and opens the access log anew: also for one that has not changed. */
  reconfigure(config: Config): void {
    this.#config = config;
    for (const { name, tls } of config.listeners)
      if (tls !== undefined) this.#bound.get(name)?.listener.replaceTls(tls);
    this.#accessLog.reconfigure(config.accessLog);
    this.#route = buildRouteTable(config.pools);
  }

  /** What is open lives on. Idempotent. */
  async stopAccepting(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.stopAccepting()));
  }

  /** Ends what is open, at once. Idempotent. */
  async stop(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.stop()));
    this.#descriptors?.stop();
    this.#relays.stop();
    this.#accessLog.stop();
  }
}

interface SharedListener {
  readonly counts: ClientCounts;
  readonly connectionsPerAddress: number;
}

/** Listeners whose limits hold for several processes together. */
function sharedListeners({ listeners }: Config, processes: number): ReadonlyMap<string, SharedListener> {
  const limited = listeners.filter(
    ({ limits }) => limits.connections !== Infinity || limits.connectionsPerAddress !== Infinity,
  );
  return new Map(
    (processes > 1 ? limited : []).map(({ name, limits: { connectionsPerAddress } }) => [
      name,
      { connectionsPerAddress, counts: new ClientCounts({ processes, connectionsPerAddress }) },
    ]),
  );
}
