// The door for upgrades, whichever parser has read them: route, then one Upgrade each.
import type { Buffer } from 'node:buffer';
import type { Problem } from '../../protocol/problem.ts';
import { logRefusal } from './access-refusal.ts';
import { forwardedSeat, holdSeat } from './door.ts';
import { lingerClose } from './linger.ts';
import type { ProxyDeps } from './ports.ts';
import { routeUnknown, tooMany } from './problems.ts';
import { passesByWaiting, upgradeRefusal } from './refuse.ts';
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

interface RefusedUpgrade extends Omit<Asking, 'early'> {
  /** '' when no route matches. */
  readonly pool: string;
}

/** A gateway over `deps`; what it has under way is in `deps.open`. */
export function createGateway(deps: ProxyDeps, route: Route): Gateway {
  return {
    handleUpgrade(client, { head, early, asked }) {
      const pool = route(head.hostName, head.path);
      const origin = { address: client.remoteAddress, isEncrypted: client.isEncrypted };
      if (pool === undefined)
        return refuse(client, { head, asked, pool: '' }, routeUnknown(head.hostName, head.path));
      const seat = forwardedSeat(deps, origin, head.fields);
      if (typeof seat === 'string') return refuse(client, { head, asked, pool }, tooMany(seat, deps.rng));
      if (seat !== undefined) holdSeat(client, seat);
      new Upgrade(deps, { client, head, pool, asked }, early).start();
    },
  };

  function refuse(client: Wire, { head, asked, pool }: RefusedUpgrade, problem: Problem): void {
    deps.events.refused('', problem.code);
    const { method } = asked;
    const kind = isWebSocket(asked) ? 'websocket' : 'tcp';
    const origin = () => ({ address: client.remoteAddress, isEncrypted: client.isEncrypted });
    // A WebSocket is let in to be told, and then has no status that would say anything.
    const isTold = kind !== 'websocket' || !passesByWaiting(problem);
    logRefusal(
      deps,
      { connection: client, origin, asked: { kind, method, head, pool }, isTold },
      problem.code,
    );
    const answer = upgradeRefusal(problem, head.fields);
    client.send(answer, 0, answer.length);
    lingerClose(client, deps);
  }
}
