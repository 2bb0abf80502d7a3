// The door for WebSocket upgrades, whichever parser has read them: route, then one Upgrade each.
import type { Buffer } from 'node:buffer';
import { logUnrouted } from './access.ts';
import { clientOf } from './client.ts';
import { lingerClose } from './linger.ts';
import type { ProxyDeps } from './ports.ts';
import { routeUnknown } from './problems.ts';
import { upgradeRefusal } from './refuse.ts';
import type { RequestHead } from './request-head.ts';
import { Upgrade } from './upgrade.ts';
import type { Wire } from './wire.ts';

/**
 * The pool for a request, undefined when no route matches. `hostName` is in lower case without the port;
 * `path` is as sent, without the query, so that what is routed is what the node sees.
 */
export type Route = (hostName: string, path: string) => string | undefined;

/** Takes upgrades over. */
export interface Gateway {
  /** Takes `client` over; `early` is what came behind the head. */
  handleUpgrade(client: Wire, head: RequestHead, early: Buffer): void;
}

/** A gateway over `deps`; what it has under way is in `deps.open`. */
export function createGateway(deps: ProxyDeps, route: Route): Gateway {
  return {
    handleUpgrade(client, head, early) {
      const pool = route(head.hostName, head.path);
      if (pool !== undefined) {
        new Upgrade(deps, { client, head, pool, early }).start();
        return;
      }
      const problem = routeUnknown(head.hostName, head.path);
      deps.events.refused('', problem.code);
      const source = clientOf(deps, { address: client.remoteAddress }, head.fields);
      logUnrouted(deps, 'websocket', { connection: client, client: source, head, method: 'GET' });
      const answer = upgradeRefusal(problem, head.fields);
      client.send(answer, 0, answer.length);
      lingerClose(client, deps);
    },
  };
}
