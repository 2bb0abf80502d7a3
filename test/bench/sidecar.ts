// What a sidecar costs: CPU and memory of the built `herald agent`, from /proc, as a table.
//   npm run bench:sidecar [-- --seconds 60 --sockets 0 --node /usr/bin/node --options=--jitless]
// `--sockets` opens that many loopback connections first, which makes the kernel's table of sockets long; `--node` and
// `--options` say what runs the agents. All are measured at once, so their shares of common pages are small.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    sockets: { type: 'string', default: '0' },
    node: { type: 'string', default: process.execPath },
    options: { type: 'string', default: '' },
  },
});
const seconds = Number(values.seconds);
const sockets = Number(values.sockets);
const settleMs = 10_000;
const nodeOptions = values.options.split(' ').filter((option) => option !== '');
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1', 4096);
  await once(server, 'listening');
  // Proof of `as`: bound to a TCP port.
  return (server.address() as AddressInfo).port;
}

/** Answers reports as a balancer does, and pages as an application does. */
const stub = createHttpServer((request, response) => {
  request.resume();
  if (request.url === '/metrics') {
    const lines = Array.from({ length: 200 }, (_, index) => `app_messages_total{room="${index}"} ${index}\n`);
    response.end(`# TYPE app_messages_total counter\n${lines.join('')}`);
    return;
  }
  response.setHeader('content-type', 'application/json');
  response.end(
    request.url === '/stats' ? '{"queue":{"delayMs":3}}' : '{"directives":{"adminState":"ready"}}',
  );
});

async function openSockets(port: number): Promise<Socket[]> {
  const open: Socket[] = [];
  // A client address has some 28,000 ports: beyond that others of loopback are taken.
  while (open.length < sockets) {
    const localAddress = `127.0.0.${2 + Math.floor(open.length / 20_000)}`;
    const batch = Array.from({ length: Math.min(200, sockets - open.length) }, () =>
      connect({ port, host: '127.0.0.1', localAddress }),
    );
    await Promise.all(batch.map((socket) => once(socket, 'connect')));
    open.push(...batch);
  }
  return open;
}

interface Usage {
  readonly cpuMs: number;
  readonly kib: Readonly<Record<string, number>>;
}

function usageOf(pid: number): Usage {
  const read = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'utf8');
  const sizes = `${read('status')}\n${read('smaps_rollup')}`;
  const kib = [...sizes.matchAll(/^(VmHWM|Rss|Pss|Private_Dirty|Private_Clean|Shared_Clean):\s+(\d+) kB$/gm)];
  // Nanoseconds: the ticks of `stat` are ten milliseconds, more than an agent takes in two seconds.
  const threads = readdirSync(`/proc/${pid}/task`).map((id) => Number.parseInt(read(`task/${id}/schedstat`)));
  return {
    cpuMs: threads.reduce((sum, each) => sum + each, 0) / 1e6,
    kib: Object.fromEntries(kib.map(([, name = '', value]) => [name, Number(value)])),
  };
}

/** One row of the table. */
async function measure(name: string, child: ChildProcess): Promise<string> {
  await sleep(settleMs);
  const before = usageOf(child.pid ?? 0);
  await sleep(seconds * 1000);
  const { cpuMs, kib } = usageOf(child.pid ?? 0);
  const end = once(child, 'exit');
  child.kill('SIGTERM');
  await end;
  const mib = (...keys: string[]): string =>
    `${(keys.reduce((sum, key) => sum + (kib[key] ?? 0), 0) / 1024).toFixed(1)} MiB`;
  const cpu = `${((cpuMs - before.cpuMs) / (10 * seconds)).toFixed(2)} %`;
  const cells = [name, cpu, mib('Rss'), mib('Pss'), mib('Private_Dirty', 'Private_Clean'), mib('VmHWM')];
  return `| ${cells.join(' | ')} |`;
}

function agent(folder: string, name: string, changes: object): ChildProcess {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, stringify({ apiVersion: 'herald/v1', kind: 'Agent', pool: 'chat', ...changes }));
  return spawn(values.node, [...nodeOptions, main, 'agent', '-c', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

const server = createServer((socket) => void socket.on('error', () => {}));
const [port, stubPort] = await Promise.all([listen(server), listen(stub)]);
const open = await openSockets(port);
const folder = mkdtempSync(join(tmpdir(), 'herald-bench-'));
const url = `http://127.0.0.1:${stubPort}`;
const base = { balancers: [url], node: { port } };
const signals = {
  delayMs: { json: { url: `${url}/stats`, path: 'queue.delayMs' } },
  throughput: { prometheus: { url: `${url}/metrics`, selector: 'app_messages_total' }, as: 'rate' },
  queued: { statsd: { name: 'q' } },
};
const byPort = { ...base, measure: { process: { port } } };
const withSources = { ...byPort, signals, statsd: { bind: '127.0.0.1:0' } };
const model = cpus()[0]?.model ?? 'unknown';
const version = execFileSync(values.node, ['--version'], { encoding: 'utf8' }).trim();
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${model}, ${cpus().length} CPUs, load ${loadavg()[0]?.toFixed(1)}, ` +
    `Node ${version} ${values.options}, ${open.length} connections, ${seconds} s`,
);
const bare = spawn(values.node, [...nodeOptions, '-e', 'setInterval(() => {}, 1000)']);
const rows = await Promise.all([
  measure('for comparison: Node that runs nothing', bare),
  measure('`host`', agent(folder, 'host', base)),
  measure('`process` by port', agent(folder, 'process', byPort)),
  measure('`process`, JSON, Prometheus (200 series), StatsD', agent(folder, 'sources', withSources)),
]);
console.log('| configuration | CPU, of one core | Rss | Pss | private | peak |');
console.log(`| --- | --- | --- | --- | --- | --- |\n${rows.join('\n')}`);
rmSync(folder, { recursive: true, force: true });
for (const socket of open) socket.destroy();
server.close();
stub.close();
stub.closeAllConnections();
