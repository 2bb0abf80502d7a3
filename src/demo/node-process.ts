// One socket server of the demo: a real `ws` server in a process of its own, with the agent inside.
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { createAgent, type Agent } from '../agent/agent.ts';
import { createSystemClock } from '../platform/system-clock.ts';
import type { FromNode, NodeSettings, ToNode } from './messages.ts';
import { ServiceQueue } from './service-queue.ts';

const clock = createSystemClock();
// Beyond this the queue drops messages: a server that is two seconds behind serves nobody.
const longestDelayMs = 2000;

let running:
  | { queue: ServiceQueue; measure: () => number; server: WebSocketServer; agent: Agent }
  | undefined;

process.on('message', (message: ToNode) => void handle(message).catch(fail));
// The parent is gone: so is the demo.
process.on('disconnect', () => process.exit(0));

async function handle(message: ToNode): Promise<void> {
  if (message.kind === 'start') return start(message.settings);
  if (running === undefined) return;
  if (message.kind === 'serviceMs') running.queue.setServiceMs(message.serviceMs);
  if (message.kind === 'ownWork') ownWork = message.part;
  if (message.kind === 'measure') sendMeasurement(running);
  if (message.kind !== 'stop') return;
  await running.agent.stop();
  running.server.close();
  process.disconnect();
}

const ownWorkEveryMs = 50;
let ownWork = 0;

async function start({ id, intakeUrls, reportIntervalMs, serviceMs }: NodeSettings): Promise<void> {
  const queue = new ServiceQueue(clock, { serviceMs, longestDelayMs });
  clock.repeat(ownWorkEveryMs, () => queue.burden(ownWork * ownWorkEveryMs));
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  server.on('connection', (socket) => echoInTurn(socket, queue));
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  const { port } = server.address() as AddressInfo;
  const agent = createAgent({
    balancers: intakeUrls,
    intervalMs: reportIntervalMs,
    pool: 'demo',
    id,
    address: `127.0.0.1:${port}`,
    signals: { busy: queue.meter(), queueDelayMs: () => queue.delayMs() },
  });
  agent.observe(server);
  agent.start();
  running = { queue, measure: queue.meter(), server, agent };
  send({ kind: 'started' });
}

/** Echoes each message when the queue has worked it off. */
function echoInTurn(socket: WebSocket, queue: ServiceQueue): void {
  socket.on('error', () => socket.terminate());
  socket.on('message', (data, isBinary) => {
    const delayMs = queue.accept();
    if (delayMs === undefined) return;
    clock.schedule(delayMs, () => socket.send(data, { binary: isBinary }, () => {}));
  });
}

function sendMeasurement({ queue, measure, server }: NonNullable<typeof running>): void {
  send({
    kind: 'measured',
    utilization: measure(),
    connections: server.clients.size,
    delayMs: queue.delayMs(),
    droppedTotal: queue.droppedTotal,
  });
}

function send(message: FromNode): void {
  process.send?.(message);
}

function fail(error: unknown): void {
  send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
}
