// `npm run bench:spread`: over how many workers the kernel spreads connections, by how many come at a time. The built
// balancer, 2 and 4 workers, 2,000 WebSocket connections each.
import { once } from 'node:events';
import { cpus } from 'node:os';
import { WebSocket, WebSocketServer } from 'ws';
import type { WorkersAnswer } from '../../src/protocol/workers.ts';
import { startHerald } from '../support/herald-process.ts';

const connections = 2000;

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', backlog: 4096 });
await once(server, 'listening');
const address = server.address();
const nodePort = typeof address === 'object' ? (address?.port ?? 0) : 0;

console.log(`${cpus()[0]?.model}, ${cpus().length} processors, Node ${process.version}`);
console.log('workers  at a time  connections of each worker');
for (const workers of [2, 4]) for (const atOnce of [1, 16, 128]) await run(workers, atOnce);
for (const socket of server.clients) socket.terminate();
server.close();

async function run(workers: number, atOnce: number): Promise<void> {
  const policy = { apiVersion: 'herald/v1', kind: 'Policy', name: 'chat', place: { connectRate: '10000/s' } };
  const herald = await startHerald({
    config: { workers },
    policies: { chat: policy },
    pools: { chat: { policy: 'chat', nodes: [{ id: 'a', address: `127.0.0.1:${nodePort}` }] } },
  });
  const sockets: WebSocket[] = [];
  const connect = async () => {
    while (sockets.length < connections) {
      const socket = new WebSocket(`ws://127.0.0.1:${herald.publicPort}/`);
      sockets.push(socket);
      socket.on('error', () => undefined);
      await Promise.race([once(socket, 'open'), once(socket, 'close')]);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, connect));
  // Workers say once a second what they have.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const { workers: all } = await herald.admin<WorkersAnswer>('/v1/workers');
  const each = all.map((worker) => worker.connections).toSorted((a, b) => b - a);
  console.log(`${String(workers).padEnd(7)}  ${String(atOnce).padStart(9)}  ${each.join(' / ')}`);
  for (const socket of sockets) socket.terminate();
  await herald.stop();
}
