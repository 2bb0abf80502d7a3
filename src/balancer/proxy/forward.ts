// HTTP, event streams and long polls: one exchange each, through undici to the node that placement chose.
// Upgrades are not here. One exchange is one lease, from placement to the last byte of the answer, so that an
// open stream or a waiting poll counts as a connection.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Exchange } from './exchange.ts';
import { createNodePools } from './node-pools.ts';
import type { ProxyDeps } from './ports.ts';
import type { RequestHead } from './request-head.ts';
import type { FailRequest } from './turns.ts';

/** One request to forward; its head has passed every check. */
export interface ForwardedRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly head: RequestHead;
  readonly pool: string;
}

/** Forwards requests. */
export interface Forwarder {
  /** Gives the way to end the request should its client break a rule in the middle of it. */
  forward(forwarded: ForwardedRequest): FailRequest;
  /** Ends every exchange and every connection to a node. */
  stop(): void;
}

/** A forwarder with connections of its own. */
export function createForwarder(deps: ProxyDeps): Forwarder {
  const pools = createNodePools(deps);
  return {
    forward(forwarded) {
      const exchange = new Exchange(deps, pools, forwarded);
      exchange.start();
      return (problem) => exchange.fail(problem);
    },
    stop() {
      pools.destroy();
    },
  };
}
