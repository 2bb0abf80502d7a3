// What a sidecar costs: CPU of one core and resident memory of the built `herald agent`, from /proc.
//   npm run build && npx tsx test/bench/sidecar.ts [--seconds 60] [--sockets 0]
// `--sockets` opens that many loopback connections first, which makes the kernel's table of sockets long.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, sockets: { type: 'string', default: '0' } },
});
const seconds = Number(values.seconds);
const sockets = Number(values.sockets);
const settleMs = 10_000;
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
  readonly cpuTicks: number;
  readonly kib: Readonly<Record<string, number>>;
}

function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kib = [...`${status}\n${rollup}`.matchAll(/^(VmHWM|VmRSS|RssAnon|RssFile|Pss):\s+(\d+) kB$/gm)];
  return {
    cpuTicks: Number(fields[11]) + Number(fields[12]),
    kib: Object.fromEntries(kib.map(([, name = '', value]) => [name, Number(value)])),
  };
}

async function measure(name: string, child: ChildProcess): Promise<void> {
  await sleep(settleMs);
  const before = usageOf(child.pid ?? 0);
  await sleep(seconds * 1000);
  const after = usageOf(child.pid ?? 0);
  const end = once(child, 'exit');
  child.kill('SIGTERM');
  await end;
  const mib = (key: string): string => `${((after.kib[key] ?? 0) / 1024).toFixed(1)} MiB`;
  const cpu = (after.cpuTicks - before.cpuTicks) / seconds;
  console.log(
    `${name.padEnd(34)} ${cpu.toFixed(2)} % of a core · resident ${mib('VmRSS')} = own ${mib('RssAnon')} ` +
      `+ files ${mib('RssFile')} · its share (PSS) ${mib('Pss')} · peak ${mib('VmHWM')}`,
  );
}

function agent(folder: string, name: string, changes: object): ChildProcess {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, stringify({ apiVersion: 'herald/v1', kind: 'Agent', pool: 'chat', ...changes }));
  return spawn(process.execPath, [main, 'agent', '-c', file], { stdio: ['ignore', 'ignore', 'inherit'] });
}

const server = createServer((socket) => void socket.on('error', () => {}));
const [port, stubPort] = await Promise.all([listen(server), listen(stub)]);
const open = await openSockets(port);
const folder = mkdtempSync(join(tmpdir(), 'herald-bench-'));
const url = `http://127.0.0.1:${stubPort}`;
const base = { balancers: [url], node: { port } };
const statsd = { name: 'q' };
const signals = {
  delayMs: { json: { url: `${url}/stats`, path: 'queue.delayMs' } },
  throughput: { prometheus: { url: `${url}/metrics`, selector: 'app_messages_total' }, as: 'rate' },
  queued: { statsd },
};
const model = cpus()[0]?.model ?? 'unknown';
console.log(
  `${model}, ${cpus().length} CPUs, load ${loadavg()[0]?.toFixed(1)}, Node ${process.version}, ${open.length} connections, ${seconds} s each`,
);
await measure('bare Node that waits', spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']));
await measure('host', agent(folder, 'host', base));
const byPort = { ...base, measure: { process: { port } } };
await measure('process by port', agent(folder, 'process', byPort));
const statsdBind = { bind: '127.0.0.1:0' };
await measure(
  'process, JSON + Prometheus + StatsD',
  agent(folder, 'sources', { ...byPort, signals, statsd: statsdBind }),
);
rmSync(folder, { recursive: true, force: true });
for (const socket of open) socket.destroy();
server.close();
stub.close();
stub.closeAllConnections();
