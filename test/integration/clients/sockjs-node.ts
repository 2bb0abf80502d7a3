// A node with SockJS's own server.
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type * as SockJs from 'sockjs';

/** The server afresh: it keeps the sessions of a process in one table, as if all its nodes were one. */
function freshSockJs(): typeof SockJs {
  const load = createRequire(import.meta.url);
  for (const path of Object.keys(load.cache)) if (/[\\/]sockjs[\\/]/.test(path)) delete load.cache[path];
  // Proof of `as`: the types are this package's.
  return load('sockjs') as typeof SockJs;
}

/** Makes a server one of SockJS at `/echo`. It greets with its id, and answers with its id and what it was told. It has a heart that beats. */
export function sockJsNode(beatMs = 300): (id: string, server: Server) => void {
  return (id, server) => {
    const sockets = freshSockJs().createServer({ log: () => {}, heartbeat_delay: beatMs });
    sockets.on('connection', (connection) => {
      connection.write(id);
      connection.on('data', (message) => void connection.write(`${id} ${message}`));
    });
    // What is not below the prefix is passed on to whoever was there before.
    server.on('request', (_request, response) => void response.writeHead(404).end());
    sockets.installHandlers(server, { prefix: '/echo' });
  };
}
