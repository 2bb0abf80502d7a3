// What the agent costs the process that it observes: `npx tsx test/bench/agent.ts [--socket] [--interval MS] [--rounds N] [--rate N]`.
// One ws echo server under a steady load, its agent (reports to a local stub) switched on and off in turns: two
// equal processes differ by more than the agent costs. CPU is what the process says of itself.
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
const sliceMs = 2500;
const settleMs = 500;

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

/** The observed process. `way` is the server that is observed; messages of the parent switch the agent. */
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
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  let stop: (() => Promise<void>) | undefined;
  const commands = {
    on: async () => {
      if (stop !== undefined) return;
      const agent = createAgent({ balancers: [balancer], pool: 'bench', id: 'a', intervalMs });
      const unobserve = agent.observe(way === 'socket' ? http : server);
      agent.start();
      stop = async () => {
        unobserve();
        await agent.stop();
      };
    },
    off: async () => {
      await stop?.();
      stop = undefined;
    },
    cpu: async () => {},
  };
  process.on('message', async (command: keyof typeof commands) => {
    await commands[command]();
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
  const child = fork(
    fileURLToPath(import.meta.url),
    ['--serve', `--interval=${interval}`, balancer, way],
    {},
  );
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

async function tell({ child }: Subject, command: 'on' | 'off' | 'cpu'): Promise<Cpu> {
  const answer = once(child, 'message') as Promise<[Cpu]>;
  child.send(command);
  return (await answer)[0];
}

/** CPU of one slice in percent of one core. */
async function slice(subject: Subject, rate: number): Promise<number> {
  const before = await tell(subject, 'cpu');
  const startMs = performance.now();
  await load(subject, rate, sliceMs);
  const after = await tell(subject, 'cpu');
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
  const subject = await open(`http://127.0.0.1:${port}`, settings);
  const sliceWith = async (command: 'on' | 'off') => {
    await tell(subject, command);
    await load(subject, rate, settleMs);
    return slice(subject, rate);
  };
  // Both ways once unmeasured: what is compiled first must not be charged to one of them.
  for (const command of ['off', 'on', 'off', 'on'] as const) await sliceWith(command);
  const differences: number[] = [];
  const control: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // Off, on, on, off: a drift of the machine in one direction cancels out.
    const [first, second, third, last] = [
      await sliceWith('off'),
      await sliceWith('on'),
      await sliceWith('on'),
      await sliceWith('off'),
    ];
    differences.push((second + third - first - last) / 2);
    control.push(last - first);
    const shown = [first, last, second, third].map((value) => value.toFixed(2));
    console.log(
      `round ${round + 1}: without ${shown[0]} and ${shown[1]}, with ${shown[2]} and ${shown[3]} % of a core`,
    );
  }
  console.log(`agent:   ${summary(differences)} (goal: median under 1); ${reports} reports`);
  console.log(`control: ${summary(control)} (the two slices without)`);
  for (const socket of subject.sockets) socket.terminate();
  subject.child.disconnect();
  await once(subject.child, 'exit');
  stub.close();
  stub.closeAllConnections();
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    serve: { type: 'boolean', default: false },
    socket: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '8' },
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
