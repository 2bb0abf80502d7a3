// Binds a net.Server and wraps it as a listener; what becomes of its connections is the transport's matter.
import type { AddressInfo, Server } from 'node:net';
import { HeraldError } from '../../core/error.ts';
import { listenIn } from '../../platform/listening-sockets.ts';
import type { BindTarget, WireListener } from './wire.ts';

/** Pending connections that the kernel keeps for us: a reconnect storm must not be answered by drops. */
const backlog = 4096;

/**
 * Binds `server`. `listening` runs in the tick in which it is bound, before it can accept.
 * Throws HERALD_LISTEN_FAILED.
 */
export function bindServer(
  server: Server,
  { slot, acceptFailed, ...bind }: BindTarget,
  listening: () => void,
): Promise<WireListener> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(listenFailed(bind, cause)));
    listenIn(server, { slot, options: { ...bind, backlog } }, () => {
      server.removeAllListeners('error');
      // Later errors are failed accepts: the client sees the end at once, others live on. Want of descriptors is hardly
      // ever among them: see platform/descriptor-watch.ts.
      server.on('error', (error: NodeJS.ErrnoException) => acceptFailed?.(error.code ?? 'UNKNOWN'));
      try {
        listening();
      } catch (error) {
        server.close();
        return reject(error);
      }
      resolve(toListener(server));
    });
  });
}

function toListener(server: Server): WireListener {
  // A server bound to host and port has an AddressInfo, no path.
  const { address, port } = server.address() as AddressInfo;
  return {
    host: address,
    port,
    // net.Server's own callback waits for connections to end; the port is free before that.
    close: async () => void server.close(),
  };
}

function listenFailed(bind: { host: string; port: number }, cause: Error): HeraldError {
  return new HeraldError(
    'HERALD_LISTEN_FAILED',
    `cannot listen on ${bind.host} port ${bind.port}: ${cause.message}`,
    { ...bind },
    { cause },
  );
}
