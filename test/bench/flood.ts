// `npm run bench:flood [seconds]`: how long a message takes through the built balancer while nothing else happens, and
// while reports and scrapes flood it; relayed by the main process, and by a worker.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import type { WorkersAnswer } from '../../src/protocol/workers.ts';
import { startHerald, type HeraldProcess } from '../support/herald-process.ts';

const seconds = Number(process.argv[2] ?? 15);
const [clients, pingEveryMs, nodes, senders] = [40, 50, 1000, 16];

interface Seen {
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  readonly count: number;
}

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
await once(server, 'listening');
const address = server.address();
const nodePort = typeof address === 'object' ? (address?.port ?? 0) : 0;

console.log(`${cpus()[0]?.model}, ${cpus().length} processors, Node ${process.version}`);
console.log(
  `${clients} clients, a message every ${pingEveryMs} ms each; ${nodes} nodes report, ${senders} at a time, 4 scrapes/s; ${seconds} s each`,
);
console.log(
  'workers  flood      p50 ms   p99 ms  worst ms  messages  reports/s  lag p99 of the relaying loop',
);
for (const workers of [0, 1]) for (const flooded of [false, true]) await run(workers, flooded);
server.close();
for (const socket of server.clients) socket.terminate();

async function run(workers: number, flooded: boolean): Promise<void> {
  const herald = await startHerald({
    config: { workers },
    pools: {
      echo: { nodes: [{ id: 'echo', address: `127.0.0.1:${nodePort}` }] },
      chat: { policy: 'chat', routes: [{ path: '/nowhere' }] },
    },
  });
  const flood = flooded ? startFlood(herald) : undefined;
  await sleep(3000);
  const seen = await ping(herald);
  const lags = (await herald.admin<WorkersAnswer>('/v1/workers')).workers.map(({ lagMs }) => lagMs);
  const reports = await flood?.end();
  await herald.stop();
  rmSync(herald.folder, { recursive: true, force: true });
  const cells = [
    String(workers).padEnd(7),
    (flooded ? 'yes' : 'no').padEnd(6),
    seen.p50.toFixed(2).padStart(9),
    seen.p99.toFixed(2).padStart(8),
    seen.worst.toFixed(1).padStart(9),
    String(seen.count).padStart(9),
    (reports === undefined ? '-' : (reports / (seconds + 3)).toFixed(0)).padStart(10),
    lags.length === 0 ? '' : ` ${lags.join(' / ')} ms`,
  ];
  console.log(cells.join(' '));
}

function startFlood(herald: HeraldProcess): { end(): Promise<number> } {
  const child = fork(join(import.meta.dirname, 'flood-source.ts'));
  child.send({ intakePort: herald.intakePort, nodes, senders, scrapeEveryMs: 250 });
  return {
    end: () =>
      new Promise((resolve) => {
        child.on('message', (sent: { reports: number }) => resolve(sent.reports));
        child.send('stop');
      }),
  };
}

async function ping({ publicPort }: HeraldProcess): Promise<Seen> {
  const tookMs: number[] = [];
  const sockets = await Promise.all(
    Array.from({ length: clients }, async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${publicPort}/`);
      await new Promise((resolve, reject) => {
        socket.once('open', resolve);
        socket.once('error', reject);
      });
      socket.on('message', (data) => void tookMs.push(performance.now() - Number(String(data))));
      return socket;
    }),
  );
  const timers = sockets.map((socket) =>
    setInterval(() => socket.send(String(performance.now())), pingEveryMs),
  );
  await sleep(seconds * 1000);
  for (const timer of timers) clearInterval(timer);
  for (const socket of sockets) socket.terminate();
  tookMs.sort((a, b) => a - b);
  const at = (part: number) => tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * part))] ?? NaN;
  return { p50: at(0.5), p99: at(0.99), worst: at(1), count: tookMs.length };
}
