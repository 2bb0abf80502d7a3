// Binds a net.Server and wraps it as a listener; what becomes of its connections is the transport's matter.
import type { AddressInfo, ListenOptions, Server } from 'node:net';
import { HeraldError } from '../../core/error.ts';
import { listenIn } from '../../platform/listening-sockets.ts';
import { listenAtPath } from '../../platform/socket-file.ts';
import type { BindTarget, WireListener } from './wire.ts';

/** Pending connections that the kernel keeps for us: a reconnect storm must not be answered by drops. */
const backlog = 4096;

/**
 * Binds `server`. `listening` runs in the tick in which it is bound, before it can accept.
 * Throws HERALD_LISTEN_FAILED.
 */
export async function bindServer(
  server: Server,
  target: BindTarget,
  listening: () => void,
): Promise<WireListener> {
  if ('path' in target) return bindPath(server, target, listening);
  const { slot, acceptFailed, ...bind } = target;
  try {
    await listen(server, { slot, acceptFailed, options: bind }, listening);
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof HeraldError) throw cause;
    const message = `cannot listen on ${bind.host} port ${bind.port}: ${cause.message}`;
    throw new HeraldError('HERALD_LISTEN_FAILED', message, { ...bind }, { cause });
  }
  // A server bound to host and port has an AddressInfo, no path.
  const { address, port } = server.address() as AddressInfo;
  return {
    host: address,
    port,
    // net.Server's own callback waits for connections to end; the port is free before that.
    close: async () => void server.close(),
  };
}

async function bindPath(
  server: Server,
  { path, mode, slot, acceptFailed }: Extract<BindTarget, { path: string }>,
  listening: () => void,
): Promise<WireListener> {
  const bound = {
    listen: (options: { path: string }) => listen(server, { slot, acceptFailed, options }, listening),
    stop: async () => void server.close(),
  };
  const file = await listenAtPath(bound, { path, mode, what: 'a listener', slot });
  return {
    host: path,
    port: 0,
    async close() {
      server.close();
      if (slot?.isHandedOn !== true) await file.remove();
    },
  };
}

function listen(
  server: Server,
  { slot, acceptFailed, options }: Pick<BindTarget, 'slot' | 'acceptFailed'> & { options: ListenOptions },
  listening: () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    listenIn(server, { slot, options: { ...options, backlog } }, () => {
      server.removeAllListeners('error');
      // Later errors are failed accepts: the client sees the end at once, others live on. Want of descriptors is hardly
      // ever among them: see platform/descriptors.ts.
      server.on('error', (error: NodeJS.ErrnoException) => acceptFailed?.(error.code ?? 'UNKNOWN'));
      try {
        listening();
        resolve();
      } catch (error) {
        server.close();
        reject(error);
      }
    });
  });
}
