// Counts the connections and messages of a WebSocketServer of ws: attached, on its own port, or noServer.
import type { IncomingMessage } from 'node:http';
import { createMembers, type Members } from './members.ts';
import type { Unobserve, WsServer, WsSocket } from './observable.ts';
import { shadowMethod } from './shadow-method.ts';
import type { Traffic } from './traffic.ts';

/** `readyState` of a WebSocket that can send. */
const open = 1;

/** Starts counting. Sockets in `watched` are counted elsewhere and passed over. */
export function observeWs(server: WsServer, traffic: Traffic, watched: WeakSet<object>): Unobserve {
  const members: Members<WsSocket> = createMembers(traffic, (socket) =>
    watchSocket(socket, traffic, members.leave),
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

function watchSocket(socket: WsSocket, traffic: Traffic, leave: (socket: WsSocket) => void): () => void {
  let isCounting = true;
  const onMessage = () => {
    traffic.messagesIn += 1;
  };
  const onClose = () => leave(socket);
  socket.on('message', onMessage);
  socket.on('close', onClose);
  const restore = shadowMethod(
    socket,
    'send',
    (original) =>
      function send(this: unknown, ...values: never[]) {
        if (isCounting && socket.readyState === open && isLastFragment(values[1])) traffic.messagesOut += 1;
        Reflect.apply(original, this, values);
      },
  );
  return () => {
    isCounting = false;
    restore();
    socket.off('message', onMessage);
    socket.off('close', onClose);
  };
}

/** The second argument of `send` is options or a callback. */
function isLastFragment(options: unknown): boolean {
  return typeof options !== 'object' || options === null || !('fin' in options) || options.fin !== false;
}
