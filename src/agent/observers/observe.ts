// Chooses the observer for a server.
import { HeraldError } from '../../core/error.ts';
import {
  isEngine,
  isSocketIo,
  isUpgradeServer,
  isWsServer,
  type ObservableServer,
  type Unobserve,
} from './observable.ts';
import { observeEngine } from './observe-engine.ts';
import { observeUpgrades } from './observe-upgrades.ts';
import { observeWs } from './observe-ws.ts';
import type { Traffic } from './traffic.ts';

/** Observes servers and remembers them until they are let go. */
export interface Observers {
  /**
   * Starts to count a server's connections and messages. Observing the same server again returns the same
   * function. Throws HERALD_AGENT_INVALID for what is no such server.
   */
  observe(server: ObservableServer): Unobserve;
  /** Lets every server go. */
  stop(): void;
}

/** Observes nobody at first. */
export function createObservers(traffic: Traffic): Observers {
  const watched = new WeakSet<object>();
  const observed = new Map<object, Unobserve>();
  return {
    observe(server) {
      const before = observed.get(server);
      if (before !== undefined) return before;
      const end = start(server, traffic, watched);
      traffic.servers += 1;
      const unobserve = () => {
        if (!observed.delete(server)) return;
        traffic.servers -= 1;
        end();
      };
      observed.set(server, unobserve);
      return unobserve;
    },
    stop() {
      for (const unobserve of observed.values()) unobserve();
    },
  };
}

function start(server: ObservableServer, traffic: Traffic, watched: WeakSet<object>): Unobserve {
  // Callers without types can hand in anything.
  if (typeof server !== 'object' || server === null) throw noServer();
  if (isSocketIo(server)) {
    if (server.engine === undefined) {
      throw new HeraldError(
        'HERALD_AGENT_INVALID',
        'observe: this Socket.IO server is not attached yet; observe it after attach() or listen()',
      );
    }
    return observeEngine(server.engine, traffic);
  }
  if (isEngine(server)) return observeEngine(server, traffic);
  if (isWsServer(server)) return observeWs(server, traffic, watched);
  if (isUpgradeServer(server)) return observeUpgrades(server, traffic, watched);
  throw noServer();
}

function noServer(): HeraldError {
  return new HeraldError(
    'HERALD_AGENT_INVALID',
    'observe: give a WebSocketServer of ws, a Socket.IO Server or an http.Server',
  );
}
