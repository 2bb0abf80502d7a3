// Ends a socket by RST, whatever it is made of.
import type { Socket } from 'node:net';
import { carrierOf } from './tls-carrier.ts';
import { resetTlsSocket } from './tls-hooks.ts';

/**
 * By RST where there is one: a UNIX socket has none, and node:net refuses to reset it, as it does TLS. What waits to be
 * sent is lost.
 */
export function resetSocket(socket: Socket): void {
  if (resetTlsSocket(socket)) return;
  const carrier = carrierOf(socket) ?? socket;
  // Also undefined once it is closed, and then there is nothing to reset.
  if (carrier.remotePort === undefined) socket.destroy();
  else carrier.resetAndDestroy();
}
