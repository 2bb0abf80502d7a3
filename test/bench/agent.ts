// What the agent costs the process that it observes: `npx tsx test/bench/agent.ts [--socket] [--interval MS] [--rounds N] [--rate N]`.
// Three ws echo servers, one with an agent (reports to a local stub) and two without, are loaded in turns. CPU is
// what each process says of itself. The two without tell how far equal processes differ here: less means nothing.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocket, WebSocketServer } from 'ws';
import { createAgent } from '../../src/agent/agent.ts';
import { middle } from './row.ts';

const clients = 100;
const tickMs = 5;
const sliceMs = 3000;
const warmUpMs = 3000;

interface Settings {
  readonly way: string;
  /** Milliseconds from report to report; 50 makes what reports cost twenty times as large as usual. */
  readonly interval: number;
  readonly rounds: number;
  /** Messages per second into the server, over all clients. */
  readonly rate: number;
}

interface Cpu {
  readonly cpuMs: number;
  readonly messages: number;
}

/** The observed process. `balancer` empty: no agent. `way` is the server that is observed. */
async function serve(balancer: string, way: string, intervalMs: number): Promise<void> {
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
    const agent = createAgent({ balancers: [balancer], pool: 'bench', id: 'a', intervalMs });
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

async function open(balancer: string, { way, interval }: Settings): Promise<Subject> {
  const child = fork(fileURLToPath(import.meta.url), ['--serve', `--interval=${interval}`, balancer, way], {
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

/** CPU of one slice in percent of one core. */
async function slice(subject: Subject, rate: number): Promise<number> {
  const before = await cpuOf(subject);
  const startMs = performance.now();
  await load(subject, rate, sliceMs);
  const after = await cpuOf(subject);
  const spanMs = performance.now() - startMs;
  const carried = after.messages - before.messages;
  if (carried < rate * (spanMs / 1000) * 0.9)
    console.log(`only ${carried} messages in ${spanMs.toFixed(0)} ms`);
  return ((after.cpuMs - before.cpuMs) / spanMs) * 100;
}

/** Differences in percent of one core. */
function summary(differences: readonly number[]): string {
  const sorted = differences.toSorted((a, b) => a - b);
  const [least, most] = [sorted[0] ?? Number.NaN, sorted.at(-1) ?? Number.NaN];
  return `median ${middle(sorted).toFixed(2)} points, from ${least.toFixed(2)} to ${most.toFixed(2)}`;
}

async function measure(settings: Settings): Promise<void> {
  const { way, rounds, rate, interval } = settings;
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
  const { model } = cpus()[0] ?? { model: 'unknown' };
  const what = way === 'socket' ? 'the http.Server (raw frames)' : 'the ws server';
  console.log(`${model}, ${cpus().length} CPUs, load ${loadavg()[0]?.toFixed(1)}, Node ${process.version}`);
  console.log(
    `observing ${what}: ${clients} clients, ${rate} messages/s in and as many out, a report every ${interval} ms`,
  );
  const without = await open('', settings);
  const control = await open('', settings);
  const observed = await open(`http://127.0.0.1:${port}`, settings);
  const subjects = [without, control, observed];
  for (const subject of subjects) await load(subject, rate, warmUpMs);
  const ofAgent: number[] = [];
  const ofControl: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const percent = new Map<Subject, number>();
    // Each goes first, second and third equally often.
    for (let turn = 0; turn < subjects.length; turn += 1) {
      const subject = subjects[(round + turn) % subjects.length] ?? without;
      percent.set(subject, await slice(subject, rate));
    }
    const [plain = Number.NaN, again = Number.NaN, agent = Number.NaN] = subjects.map((one) =>
      percent.get(one),
    );
    ofAgent.push(agent - plain);
    ofControl.push(again - plain);
    const shown = [plain, again, agent].map((value) => value.toFixed(2));
    console.log(
      `round ${round + 1}: without ${shown[0]} %, control ${shown[1]} %, with agent ${shown[2]} % of a core`,
    );
  }
  console.log(`agent:   ${summary(ofAgent)} (goal: median under 1); ${reports} reports`);
  console.log(`control: ${summary(ofControl)}`);
  for (const { child, sockets } of subjects) {
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
    rounds: { type: 'string', default: '9' },
    rate: { type: 'string', default: '10000' },
    interval: { type: 'string', default: '1000' },
  },
});

const interval = Number(values.interval);
if (values.serve) await serve(positionals[0] ?? '', positionals[1] ?? 'ws', interval);
else {
  const way = values.socket ? 'socket' : 'ws';
  await measure({ way, interval, rounds: Number(values.rounds), rate: Number(values.rate) });
}
