// The door for upgrades, whichever parser has read them: route, then one Upgrade each.
import type { Buffer } from 'node:buffer';
import type { Problem } from '../../protocol/problem.ts';
import { logUnrouted } from './access.ts';
import { clientOf } from './client.ts';
import { forwardedSeat, holdSeat } from './door.ts';
import { lingerClose } from './linger.ts';
import type { ProxyDeps } from './ports.ts';
import { routeUnknown, tooMany } from './problems.ts';
import { upgradeRefusal } from './refuse.ts';
import { isWebSocket, type ProtocolSwitch } from './protocol-switch.ts';
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
  /** Takes `client` over. */
  handleUpgrade(client: Wire, asking: Asking): void;
}

/** A request for another protocol; its head has passed every check. */
export interface Asking {
  readonly head: RequestHead;
  readonly asked: ProtocolSwitch;
  /** What came behind the head, often empty. */
  readonly early: Buffer;
}

/** A gateway over `deps`; what it has under way is in `deps.open`. */
export function createGateway(deps: ProxyDeps, route: Route): Gateway {
  return {
    handleUpgrade(client, { head, early, asked }) {
      const pool = route(head.hostName, head.path);
      const origin = { address: client.remoteAddress, isEncrypted: client.isEncrypted };
      if (pool === undefined) {
        const source = clientOf(deps, origin, head.fields);
        const kind = isWebSocket(asked) ? 'websocket' : 'tcp';
        logUnrouted(deps, kind, { connection: client, client: source, head, method: asked.method });
        return refuse(client, head, routeUnknown(head.hostName, head.path));
      }
      const seat = forwardedSeat(deps, origin, head.fields);
      if (typeof seat === 'string') return refuse(client, head, tooMany(seat, deps.rng));
      if (seat !== undefined) holdSeat(client, seat);
      new Upgrade(deps, { client, head, pool, early, asked }).start();
    },
  };

  function refuse(client: Wire, head: RequestHead, problem: Problem): void {
    deps.events.refused('', problem.code);
    const answer = upgradeRefusal(problem, head.fields);
    client.send(answer, 0, answer.length);
    lingerClose(client, deps);
  }
}
