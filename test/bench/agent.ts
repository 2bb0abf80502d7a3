// What the agent costs the process that it observes: `npx tsx test/bench/agent.ts [--socket] [--slices N] [--rate N]`.
// Two ws echo servers, one with an agent (1 s reports to a local stub) and one without, live side by side and are
// loaded in turns, so that both see the same machine. CPU is what each process reports of itself per slice.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocket, WebSocketServer } from 'ws';
import { createAgent } from '../../src/agent/agent.ts';

const clients = 100;
const tickMs = 5;
const sliceMs = 4000;
const warmUpMs = 3000;

interface Cpu {
  readonly cpuMs: number;
  readonly messages: number;
}

/** The observed process. `balancer` empty: no agent. `way` is the server that is observed. */
async function serve(balancer: string, way: string): Promise<void> {
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  let messages = 0;
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      messages += 1;
      socket.send(data, { binary: isBinary });
    });
  });
  if (balancer !== '') {
    const agent = createAgent({ balancers: [balancer], pool: 'bench', id: 'a' });
    agent.observe(way === 'socket' ? http : server);
    agent.start();
  }
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuMs: (user + system) / 1000, messages } satisfies Cpu);
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.((http.address() as AddressInfo).port);
}

interface Subject {
  readonly child: ChildProcess;
  readonly sockets: readonly WebSocket[];
}

async function open(balancer: string, way: string): Promise<Subject> {
  const child = fork(fileURLToPath(import.meta.url), ['--serve', balancer, way], {
    execArgv: ['--import', 'tsx'],
  });
  const [port] = (await once(child, 'message')) as [number];
  const sockets = Array.from({ length: clients }, () => new WebSocket(`ws://127.0.0.1:${port}`));
  await Promise.all(sockets.map((socket) => once(socket, 'open')));
  return { child, sockets };
}

/** Sends evenly; late ticks are made up for, so that every slice carries the same messages. */
async function load({ sockets }: Subject, rate: number, forMs: number): Promise<void> {
  const startMs = performance.now();
  const total = (rate * forMs) / 1000;
  let sent = 0;
  while (sent < total) {
    const due = Math.min(total, ((performance.now() - startMs) / 1000) * rate);
    for (; sent < due; sent += 1) sockets[sent % clients]?.send('0123456789abcdef0123456789abcdef');
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
}

async function cpuOf({ child }: Subject): Promise<Cpu> {
  const answer = once(child, 'message') as Promise<[Cpu]>;
  child.send('cpu');
  return (await answer)[0];
}

/** CPU of one slice in percent of one core, and what was carried. */
async function slice(subject: Subject, rate: number): Promise<{ percent: number; messages: number }> {
  const before = await cpuOf(subject);
  const startMs = performance.now();
  await load(subject, rate, sliceMs);
  const after = await cpuOf(subject);
  const spanMs = performance.now() - startMs;
  return {
    percent: ((after.cpuMs - before.cpuMs) / spanMs) * 100,
    messages: ((after.messages - before.messages) / spanMs) * 1000,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

async function measure(way: string, slices: number, rate: number): Promise<void> {
  let reports = 0;
  const stub = createServer((request, response) => {
    reports += 1;
    request.resume();
    response.setHeader('content-type', 'application/json');
    response.end('{"directives":{"adminState":"ready"}}');
  });
  stub.listen(0, '127.0.0.1');
  await once(stub, 'listening');
  const { port } = stub.address() as AddressInfo;
  const plain = await open('', way);
  const observed = await open(`http://127.0.0.1:${port}`, way);
  const { model } = cpus()[0] ?? { model: 'unknown' };
  console.log(
    `${model}, ${cpus().length} CPUs, Node ${process.version}; observing the ${way === 'socket' ? 'http.Server (raw frames)' : 'ws server'}`,
  );
  console.log(
    `${clients} clients, ${rate} messages/s in and as many out, slices of ${sliceMs / 1000} s, in turns`,
  );
  for (const subject of [plain, observed]) await load(subject, rate, warmUpMs);
  const differences: number[] = [];
  for (let index = 0; index < slices; index += 1) {
    // Each goes first in every other pair: whoever comes second finds a warmer machine.
    const first = index % 2 === 0 ? plain : observed;
    const one = await slice(first, rate);
    const other = await slice(first === plain ? observed : plain, rate);
    const [without, withAgent] = first === plain ? [one, other] : [other, one];
    differences.push(withAgent.percent - without.percent);
    const [a, b] = [without, withAgent].map(
      ({ percent, messages }) => `${percent.toFixed(2)} % (${messages.toFixed(0)}/s)`,
    );
    console.log(
      `pair ${index + 1}: without ${a}, with ${b}, difference ${differences.at(-1)?.toFixed(2)} points`,
    );
  }
  console.log(
    `median difference ${median(differences).toFixed(2)} % of one core (goal: under 1); ${reports} reports`,
  );
  for (const { child, sockets } of [plain, observed]) {
    for (const socket of sockets) socket.terminate();
    child.disconnect();
    await once(child, 'exit');
  }
  stub.close();
  stub.closeAllConnections();
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    serve: { type: 'boolean', default: false },
    socket: { type: 'boolean', default: false },
    slices: { type: 'string', default: '8' },
    rate: { type: 'string', default: '10000' },
  },
});

if (values.serve) await serve(positionals[0] ?? '', positionals[1] ?? 'ws');
else await measure(values.socket ? 'socket' : 'ws', Number(values.slices), Number(values.rate));
