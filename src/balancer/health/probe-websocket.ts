// The active check of a node that speaks nothing but WebSocket: a whole handshake, then an orderly close.
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { nodeConnector, type NodeConnection } from '../../platform/node-links.ts';
import { formatAddress } from '../../policy/address.ts';

// Sixteen bytes in base64. The key is against caches that know no WebSocket, not a secret: one serves for all checks.
const key = 'aGVyYWxkIGNoZWNrIGtleQ==';
// RFC 6455, section 4.2.2.
const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
// Close 1000, masked as a client's frames must be; a mask of zeros changes nothing.
const close = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);

/** Resolves when `path` has switched to WebSocket; rejects with what it did instead. */
export async function probeWebSocket(
  connection: NodeConnection,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const connected = await connect(connection, signal);
  const { host, port } = connection.node;
  await new Promise<void>((resolve, reject) => {
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': key,
      'Sec-WebSocket-Version': '13',
    };
    const asked = request({ host, port, path, headers, signal, createConnection: () => connected });
    asked.on('error', reject);
    asked.on('response', (response) => {
      response.destroy();
      reject(new Error(`${path} answered ${response.statusCode} instead of 101`));
    });
    asked.on('upgrade', (response, socket: Duplex) => {
      socket.on('error', () => socket.destroy());
      socket.end(close, () => socket.destroy());
      if (response.headers['sec-websocket-accept'] === accept) resolve();
      else reject(new Error(`${path} answered 101 with a wrong Sec-WebSocket-Accept`));
    });
    asked.end();
  });
}

function connect(connection: NodeConnection, signal: AbortSignal): Promise<Socket> {
  const { host: hostname, port } = connection.node;
  const to = { hostname, host: formatAddress(connection.node), protocol: 'http:', port: String(port) };
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('too late')), { once: true });
    nodeConnector(connection)(to, (error, socket) => {
      if (error !== null) reject(error);
      else if (signal.aborted) socket.destroy();
      else resolve(socket);
    });
  });
}
