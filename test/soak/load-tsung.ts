// `npm run load:tsung`: the users of tsung/websockets.xml against the built balancer over two nodes that echo. Ends with 0
// when each of them heard all of its own words and nothing else; where there is no tsung it says so, and ends with 1.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import { startProcess } from '../support/herald-command.ts';
import { startHerald } from '../support/herald-process.ts';
import { hasGroup } from '../support/process-group.ts';
import { freePort } from '../support/redis-server.ts';
import { readTsungLog, tsungFaults } from './tsung-log.ts';

const scenario = 'tsung/websockets.xml';
const runWithinMs = 180_000;

interface EchoNode {
  readonly id: string;
  readonly address: string;
  /** Connections that it has had. */
  taken: number;
  /** Messages that it has sent back. */
  echoed: number;
  /** How often its clients' connections ended with each code. */
  readonly closes: Record<number, number>;
}

async function echoNode(id: string): Promise<EchoNode> {
  const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(sockets, 'listening');
  // Proof of `as`: bound to a TCP port.
  const { port } = sockets.address() as AddressInfo;
  const node: EchoNode = { id, address: `127.0.0.1:${port}`, taken: 0, echoed: 0, closes: {} };
  sockets.on('connection', (socket) => {
    node.taken += 1;
    socket.on('error', () => socket.terminate());
    socket.on('close', (code) => (node.closes[code] = (node.closes[code] ?? 0) + 1));
    socket.on('message', (data, binary) => {
      node.echoed += 1;
      socket.send(data, { binary });
    });
  });
  return node;
}

/** Runs the scenario against the port; the last numbers of tsung's log. */
async function runTsung(port: number): Promise<Readonly<Record<string, number>>> {
  const folder = mkdtempSync(join(tmpdir(), 'herald-tsung-'));
  const file = join(folder, 'websockets.xml');
  writeFileSync(file, readFileSync(scenario, 'utf8').replace('port="8080"', `port="${port}"`));
  const logs = join(folder, 'logs');
  mkdirSync(logs);
  // Erlang starts a port mapper by itself, on every address, and leaves it behind. This one ends with us.
  const mapperPort = String(await freePort());
  const mapper = startProcess('epmd', ['-address', '127.0.0.1', '-port', mapperPort]);
  const env = {
    HOME: folder,
    ERL_EPMD_PORT: mapperPort,
    ERL_FLAGS: '-kernel inet_dist_use_interface {127,0,0,1}',
  };
  const flags = ['-n', '-I', '127.0.0.1', '-f', file, '-l', logs];
  const run = startProcess('tsung', [...flags, 'start'], { env, ownGroup: true });
  // It is a script that starts Erlang.
  const endAll = () => {
    if (hasGroup(run.pid)) process.kill(-run.pid, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', endAll);
  try {
    const { code, stdout, stderr } = await run.ended(runWithinMs);
    const [made] = readdirSync(logs);
    if (made === undefined) throw new Error(`tsung ended with ${code}: ${stdout}${stderr}`);
    return readTsungLog(readFileSync(join(logs, made, 'tsung.log'), 'utf8'));
  } finally {
    endAll();
    process.off('exit', endAll);
    mapper.child.kill('SIGKILL');
    await mapper.ended();
  }
}

async function main(): Promise<number> {
  if (spawnSync('tsung', ['-v'], { stdio: 'ignore' }).status !== 0) {
    process.stderr.write('tsung is missing: it is a package of Debian (apt-get install tsung)\n');
    return 1;
  }
  const nodes = await Promise.all(['a', 'b'].map(echoNode));
  const listed = nodes.map(({ id, address }) => ({ id, address }));
  const herald = await startHerald({ pools: { chat: { policy: 'chat', nodes: listed } } });
  try {
    await herald.eligible('a', 'b');
    const numbers = await runTsung(herald.publicPort);
    for (const [name, number] of Object.entries(numbers)) process.stdout.write(`${name} ${number}\n`);
    for (const { id, taken, echoed, closes } of nodes)
      process.stdout.write(
        `node ${id}: ${taken} connections, ${echoed} echoes, closes ${JSON.stringify(closes)}\n`,
      );
    const faults = tsungFaults(numbers, Object.fromEntries(nodes.map(({ id, taken }) => [id, taken])));
    for (const fault of faults) process.stderr.write(`${fault}\n`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    await herald.stop();
  }
}

for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130));
process.exitCode = await main();
process.exit();
