// Where clients are served: by this process, or by workers. What the balancer asks of either.
import { HeraldError } from '../core/error.ts';
import { HeldSockets } from '../platform/held-sockets.ts';
import type { ListeningSockets } from '../platform/listening-sockets.ts';
import type { Logger } from '../platform/logger.ts';
import type { Config } from '../policy/config.ts';
import { listenerKey } from './listeners.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { PublicListeners } from './public-listeners.ts';
import { endGracefully, type ShutdownDeps } from './shutdown.ts';
import type { RelayForms, StopReport } from './state/ports.ts';
import type { Crew, CrewStart } from './workers/crew.ts';
import type { WorkerSettings } from './workers/messages.ts';
import type { WorkerEvents, WorkerProcess } from './workers/seat.ts';

/** How workers are had. */
export interface WorkersOption {
  /** 1..64. */
  readonly workers: number;
  readonly spawn: (
    place: { readonly worker: number; readonly sockets: ReadonlyMap<string, number> },
    events: WorkerEvents,
  ) => WorkerProcess;
}

/** Serves clients, with a lifetime: `start`, maybe `stopAccepting`, then `end`. */
export interface ClientSide {
  /** Connections and exchanges under way. */
  readonly openCount: number;
  /** Bytes that wait for slow clients, an upper bound. */
  readonly waitingBytes: number;
  /** How bytes are carried; a guess before `start`. */
  readonly relayForms: RelayForms;
  /** The bound port of a listener; HERALD_INTERNAL when there is no such listener. */
  port(listener: string): number;
  /** Binds and accepts. Rejects with HERALD_LISTEN_FAILED. */
  start(metrics: Metrics): Promise<void>;
  reconfigure(settings: WorkerSettings): void;
  /** What is open lives on. Idempotent. */
  stopAccepting(): Promise<void>;
  /** Asks what is open to leave within `graceMs`, then ends the rest. */
  end(graceMs: number): Promise<StopReport>;
}

/** Clients served in this process. */
export function serveHere(
  listeners: PublicListeners,
  shutdown: () => Omit<ShutdownDeps, 'openCount'>,
): ClientSide {
  return {
    get openCount() {
      return listeners.openCount;
    },
    get waitingBytes() {
      return listeners.waitingBytes;
    },
    get relayForms() {
      return listeners.relayForms;
    },
    port: (name) => listeners.port(name),
    async start(metrics) {
      await listeners.probe();
      await listeners.start(metrics);
    },
    reconfigure: ({ config }) => listeners.reconfigure(config),
    stopAccepting: () => listeners.stopAccepting(),
    async end(graceMs) {
      const report = await endGracefully({ ...shutdown(), openCount: () => listeners.openCount }, graceMs);
      await listeners.stop();
      return report;
    },
  };
}

/** Clients served by workers. */
export function serveByWorkers(
  crew: Crew,
  parts: {
    readonly option: WorkersOption;
    readonly sockets: ListeningSockets;
    readonly config: Config;
    readonly log: Logger;
    readonly start: Omit<CrewStart, 'workers' | 'spawn'>;
  },
): ClientSide {
  const { option, sockets, config, log } = parts;
  const held = new HeldSockets(sockets);
  return {
    get openCount() {
      return crew.openCount;
    },
    get waitingBytes() {
      return crew.waitingBytes;
    },
    get relayForms() {
      return crew.relayForms;
    },
    port(name) {
      const port = held.port(name);
      if (port === undefined) throw new HeraldError('HERALD_INTERNAL', `there is no listener '${name}'`);
      return port;
    },
    async start() {
      await held.bind(
        config.listeners.map((each) => ({ name: each.name, key: listenerKey(each), ...each.bind })),
      );
      await crew.start({
        ...parts.start,
        workers: option.workers,
        spawn: (worker, events) => option.spawn({ worker, sockets: held.descriptors }, events),
      });
      for (const { name, bind } of config.listeners) {
        const at = 'path' in bind ? { host: bind.path, port: 0 } : { host: bind.host, port: held.port(name) };
        log.info({ listener: name, ...at, workers: option.workers }, 'listening');
      }
    },
    reconfigure: (settings) => crew.configure(settings),
    async stopAccepting() {
      crew.retire();
      await held.close();
    },
    async end(graceMs) {
      const report = await crew.stop(graceMs);
      await held.close();
      return report;
    },
  };
}
