// Finds the bare socket under one of node:tls: all that TLS over sockets uses without its being documented.
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * The socket that carries `socket`, undefined where that is no TLS, or has none of its own. node:tls tells of its
 * connections without saying which socket it was given. On a Node without this property every TLS client is turned
 * away where TLS goes over sockets, which the tests see first.
 */
export function carrierOf(socket: Socket): Socket | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const { _parent: carrier } = socket as unknown as { _parent?: unknown };
  return carrier instanceof Socket ? carrier : undefined;
}
