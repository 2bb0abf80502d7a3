// `npm run bench:drain [seed] [clients elsewhere]`: drains a node of 2,000 real WebSocket clients and prints what every second looked like.
// Three processes: the balancer and this table, the nodes, the clients. Ends with 1 when a promise was broken.
import { fork, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Balancer } from '../../src/balancer/balancer.ts';
import { pcg32 } from '../../src/core/rng.ts';
import { loadConfig } from '../../src/platform/config.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';
import { aConfig, writeSetup } from '../support/herald-setup.ts';
import type { ClientsSeen } from './drain-clients.ts';
import type { NodesSeen } from './drain-nodes.ts';

const seed = Number(process.argv[2] ?? 1);
const clientsElsewhere = Number(process.argv[3] ?? 1200);
const [clientsOnA, deadlineMs] = [2000, 60_000];
// 500 clients a second come to a node that takes 200 (`place.connectRate`): so many at a time wait 1.5 s at most. All in
// one go, the last would wait the whole of `admit.maxWait`, and a busy machine decides how many are refused.
const clientsAtOnce = 500;
const others = ['b', 'c', 'd'];
// Full at a cost of so much: `a` stands at 77 %, the others at 30 % before and at four fifths after.
const capacities = { a: 2600, b: 1330, c: 1330, d: 1330 };
const policy = {
  apiVersion: 'herald/v1',
  kind: 'Policy',
  name: 'chat',
  signals: { busy: { saturation: 1, kind: 'additive' } },
  reports: { interval: '1s', blackout: '2s', expiry: '10s' },
  place: { slowStart: '0s', maxShare: '100%' },
  health: { check: { kind: 'off' } },
};
const operator = { by: 'local' };

interface World {
  readonly balancer: Balancer;
  readonly nodes: { seen: NodesSeen; readonly process: ChildProcess };
  readonly clients: { seen: ClientsSeen; readonly process: ChildProcess };
}

function start<Seen>(file: string, none: Seen): { seen: Seen; process: ChildProcess } {
  const child = fork(join(import.meta.dirname, file), { serialization: 'json' });
  const held = { seen: none, process: child };
  child.on('message', (message) => (held.seen = message as Seen));
  return held;
}

async function until(holds: () => boolean, about: string, limitMs = 60_000): Promise<void> {
  for (let waitedMs = 0; !holds(); waitedMs += 100) {
    if (waitedMs > limitMs) throw new Error(`never: ${about}`);
    await sleep(100);
  }
}

/** Puts 2,000 clients on `a` and the rest on the others, and waits until loads are known. */
async function fill({ balancer, nodes, clients }: World): Promise<void> {
  const port = balancer.listenerPort('public');
  const list = Object.entries(capacities).map(([id, capacity]) => ({ id, capacity }));
  nodes.process.send({ intake: `http://127.0.0.1:${balancer.intakePort}`, nodes: list });
  await until(() => balancer.registry.pool('chat').nodes.size === 4, 'four nodes');
  const set = (ids: readonly string[], adminState: 'ready' | 'maint') =>
    balancer.control.setAdminState(ids, { adminState }, operator);
  set(others, 'maint');
  for (let count = 0; count < clientsOnA; count += clientsAtOnce) {
    clients.process.send({ port, count: clientsAtOnce, seed: seed + 10_000 * count, sigma: 1 });
    await until(() => clients.seen.on['a'] === count + clientsAtOnce, 'clients on a');
  }
  set(others, 'ready');
  set(['a'], 'maint');
  clients.process.send({ port, count: clientsElsewhere, seed: seed + 1000, sigma: 1 });
  await until(() => onAll(clients.seen) === clientsOnA + clientsElsewhere, 'clients elsewhere');
  set(['a'], 'ready');
  await sleep(8000);
}

const onAll = ({ on }: ClientsSeen) => Object.values(on).reduce((sum, each) => sum + each, 0);
const percent = (part: number | undefined) => `${((part ?? NaN) * 100).toFixed(1)} %`.padStart(8);

/** One line a second until the drain is over and everybody is back; the highest utilization of the others. */
async function watch({ balancer, nodes, clients }: World): Promise<{ highest: number; backAfterMs: number }> {
  const { operation, forecast } = balancer.control.setAdminState(
    ['a'],
    { adminState: 'drain', deadlineMs },
    operator,
  );
  if (operation === null) throw new Error('no operation');
  console.log(`forecast: ${forecast?.sentence}\n`);
  console.log(
    '   s waiting leaving  closed  returned  rate/s  ETA s    a open        b        c        d  clients away',
  );
  const startedMs = performance.now();
  let highest = 0;
  let backAfterMs = NaN;
  for (let tick = 0; ; tick++) {
    highest = Math.max(highest, ...others.map((id) => nodes.seen.utilization[id] ?? 0));
    const away = clientsOnA + clientsElsewhere - onAll(clients.seen);
    const { progress, ratePerSecond, etaMs, state } = balancer.control.operation(operation.id);
    if (tick % 10 === 0) {
      const cells = [tick / 10, progress.waiting, progress.leaving, progress.closed, progress.returned];
      const eta = etaMs === null ? '-' : Math.round(etaMs / 1000);
      const widths = [4, 8, 8, 8, 10];
      const left = cells.map((cell, i) => String(cell).padStart(widths[i] ?? 0)).join('');
      const open = String(nodes.seen.open['a']).padStart(10);
      const loads = others.map((id) => percent(nodes.seen.utilization[id])).join(' ');
      console.log(
        `${left}${String(ratePerSecond).padStart(8)}${String(eta).padStart(7)}${open} ${loads}${String(away).padStart(14)}`,
      );
    }
    if (away === 0 && state !== 'running' && Number.isNaN(backAfterMs))
      backAfterMs = performance.now() - startedMs;
    // Two more seconds: reports of what came last are still on their way.
    if (!Number.isNaN(backAfterMs) && performance.now() - startedMs > backAfterMs + 2000) break;
    if (performance.now() - startedMs > deadlineMs + 10_000) break;
    await sleep(100);
  }
  return { highest, backAfterMs };
}

/** `filled`: what clients had seen before the drain, while 2,000 of them came to one node of which nothing was known yet. */
function judge(
  { balancer, nodes, clients }: World,
  { highest, backAfterMs }: { highest: number; backAfterMs: number },
  filled: ClientsSeen,
): boolean {
  const { garbled } = clients.seen;
  const back = clients.seen.back - filled.back;
  const codes = Object.fromEntries(
    Object.entries(clients.seen.codes)
      .map(([code, count]): [string, number] => [code, count - (filled.codes[code] ?? 0)])
      .filter(([, count]) => count > 0),
  );
  const sorted = clients.seen.awayMs.slice(filled.awayMs.length).toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  const [operation] = balancer.control.operations();
  console.log(`\nbefore the drain, while the fleet filled up: close codes ${JSON.stringify(filled.codes)}`);
  console.log(`${operation?.state}: ${operation?.reason}`);
  console.log(`clients saw close codes ${JSON.stringify(codes)}, nodes ${JSON.stringify(nodes.seen.closes)}`);
  console.log(
    `${back} came back; away for ${at(0.5)} ms (median), ${at(0.99)} ms (99 %), ${at(1)} ms (longest)`,
  );
  console.log(
    `all were back ${(backAfterMs / 1000).toFixed(1)} s after the drain began; deadline ${deadlineMs / 1000} s`,
  );
  console.log(
    `highest true utilization of another node: ${percent(highest).trim()}; garbled messages: ${garbled}`,
  );
  const isOnly1012 = Object.keys(codes).join() === '1012' && codes['1012'] === clientsOnA;
  const isRefused = Object.keys(filled.codes).length > 0;
  return (
    !isRefused &&
    isOnly1012 &&
    back === clientsOnA &&
    backAfterMs < deadlineMs &&
    highest < 1 &&
    garbled === 0
  );
}

async function main(): Promise<void> {
  const folder = writeSetup({ policies: { chat: policy }, config: aConfig() });
  const loaded = await loadConfig(join(folder, 'herald.yaml'), {});
  const balancer = new Balancer({
    loaded,
    clock: createSystemClock(),
    rng: pcg32(seed),
    log: createLogger({ ...loaded.config.log, level: 'silent' }),
    version: '0.0.0',
  });
  await balancer.start();
  const world: World = {
    balancer,
    nodes: start<NodesSeen>('drain-nodes.ts', { utilization: {}, open: {}, closes: {} }),
    clients: start<ClientsSeen>('drain-clients.ts', { on: {}, codes: {}, back: 0, awayMs: [], garbled: 0 }),
  };
  try {
    console.log(`seed ${seed}, ${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.version}`);
    await fill(world);
    const filled = world.clients.seen;
    const isKept = judge(world, await watch(world), filled);
    console.log(isKept ? 'every promise was kept' : 'A PROMISE WAS BROKEN');
    process.exitCode = isKept ? 0 : 1;
  } finally {
    for (const { process: child } of [world.clients, world.nodes]) child.kill();
    await balancer.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
