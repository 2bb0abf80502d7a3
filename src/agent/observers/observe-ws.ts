// Counts the connections and messages of a WebSocketServer of ws: attached, on its own port, or noServer.
import type { IncomingMessage } from 'node:http';
import { createCountSocket, type CountSocket } from './counted-prototype.ts';
import { createMembers, type Members } from './members.ts';
import type { Unobserve, WsServer, WsSocket } from './observable.ts';
import { shadowMethod } from './shadow-method.ts';
import type { Traffic } from './traffic.ts';

/** Starts counting. Sockets in `watched` are counted elsewhere and passed over. */
export function observeWs(server: WsServer, traffic: Traffic, watched: WeakSet<object>): Unobserve {
  const countSocket = createCountSocket(traffic);
  const members: Members<WsSocket> = createMembers(traffic, (socket) =>
    watchSocket(socket, countSocket, members.leave),
  );
  const join = (socket: WsSocket, request: IncomingMessage) => {
    if (!watched.has(request.socket)) members.join(socket);
  };
  for (const socket of server.clients ?? []) members.join(socket);
  // With noServer 'connection' is the application's to emit, and some do not; but all call handleUpgrade.
  const restore = shadowMethod(server, 'handleUpgrade', (original) => {
    const handleUpgrade: WsServer['handleUpgrade'] = function (this: unknown, request, socket, head, done) {
      const counted = (webSocket: WsSocket) => {
        join(webSocket, request);
        done(webSocket, request);
      };
      Reflect.apply(original, this, [request, socket, head, counted]);
    };
    return handleUpgrade;
  });
  server.on('connection', join);
  return () => {
    restore();
    server.off('connection', join);
    members.clear();
  };
}

function watchSocket(
  socket: WsSocket,
  countSocket: CountSocket,
  leave: (socket: WsSocket) => void,
): () => void {
  const onClose = () => leave(socket);
  const uncount = countSocket(socket);
  socket.on('close', onClose);
  return () => {
    uncount();
    socket.off('close', onClose);
  };
}
