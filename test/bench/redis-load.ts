// What Redis has to do for several balancers: `tsx test/bench/redis-load.ts [NODES] [BALANCERS] [SECONDS]`. A
// redis-server of its own, real stores in this process, and the words that balancers say: each report once, and
// what each balancer has placed ten times a second. Figures are Redis's own.
import type { SharedHandlers, SharedStore } from '../../src/balancer/state/shared-store.ts';
import { createRedisStore } from '../../src/cluster/redis-store.ts';
import { pcg32 } from '../../src/core/rng.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';
import { aReportBody } from '../support/a-report.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';

const [nodes = 100, balancers = 4, seconds = 20] = process.argv.slice(2).map(Number);
const placementsEveryMs = 100;
const reportsEveryMs = 10;

interface Figures {
  readonly commands: number;
  readonly inBytes: number;
  readonly outBytes: number;
  readonly cpuSeconds: number;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function figuresOf(server: RedisServer): Promise<Figures> {
  const info = String(await server.ask('INFO', 'all'));
  const read = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]);
  return {
    commands: read('total_commands_processed'),
    inBytes: read('total_net_input_bytes'),
    outBytes: read('total_net_output_bytes'),
    cpuSeconds: read('used_cpu_user') + read('used_cpu_sys'),
  };
}

/** A report as it is posted, with another body each time. */
function reportText(node: number, seq: number): string {
  return JSON.stringify(aReportBody({ node: { id: `node-${node}`, port: 8081 }, seq, ageMs: seq % 7 }));
}

/** What a balancer placed since its last word, of at most twenty nodes. */
function placementsText(seq: number): string {
  const placed = Array.from({ length: Math.min(20, nodes) }, (_, index) => [
    `node-${index}`,
    (seq + index) % 5,
  ]);
  return JSON.stringify({ placed });
}

/** Says what balancers would: each report by the balancer that it was posted to. Answers how many words were said. */
async function talk(stores: readonly SharedStore[]): Promise<number> {
  const startMs = performance.now();
  let reports = 0;
  let placements = 0;
  for (;;) {
    const elapsedMs = performance.now() - startMs;
    if (elapsedMs > seconds * 1000) return reports + placements;
    for (; reports < (elapsedMs / 1000) * nodes; reports += 1) {
      const node = reports % nodes;
      stores[node % balancers]?.say('reports', reportText(node, reports));
    }
    for (; placements < (elapsedMs / placementsEveryMs) * balancers; placements += 1)
      stores[placements % balancers]?.say('placements', placementsText(placements));
    await pause(reportsEveryMs);
  }
}

const server = await startRedis({ isShared: true });
const clock = createSystemClock();
let heard = 0;
const handlers: SharedHandlers = {
  word: () => void (heard += 1),
  register: () => {},
  peer: () => {},
  link: () => {},
};
const stores = Array.from({ length: balancers }, (_, index) => {
  const servers = { kind: 'single', address: { host: '127.0.0.1', port: server.port }, database: 0 } as const;
  const config = {
    servers,
    username: undefined,
    password: undefined,
    sentinelUsername: undefined,
    sentinelPassword: undefined,
    tls: undefined,
    keyPrefix: 'herald',
    peer: `lb-${index}`,
  };
  return createRedisStore({ config, clock, rng: pcg32(index) });
});
await Promise.all(stores.map((store) => store.start(handlers)));
await pause(1500);
const before = await figuresOf(server);
const beforeMs = performance.now();
const heardBefore = heard;
const said = await talk(stores);
await pause(300);
const elapsed = (performance.now() - beforeMs) / 1000;
const after = await figuresOf(server);
const perSecond = (key: keyof Figures) => (after[key] - before[key]) / elapsed;
const dropped = stores.reduce((sum, store) => sum + store.status().droppedWordsTotal, 0);
const lags = stores.map((store) => store.status().lagMs ?? Number.NaN);
const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB/s`;
console.log(`${nodes} nodes, ${balancers} balancers, 1 s reports, ${elapsed.toFixed(1)} s`);
console.log(`  commands       ${perSecond('commands').toFixed(1)}/s`);
console.log(`  into Redis     ${kib(perSecond('inBytes'))}`);
console.log(`  out of Redis   ${kib(perSecond('outBytes'))}`);
console.log(`  Redis's CPU    ${(perSecond('cpuSeconds') * 100).toFixed(2)} % of a core`);
console.log(
  `  words          ${(said / elapsed).toFixed(0)}/s said, ${heard - heardBefore} of ${said * (balancers - 1)} heard, ${dropped} dropped`,
);
console.log(`  lag            ${Math.max(...lags).toFixed(1)} ms at most when it ended`);
await Promise.all(stores.map((store) => store.stop()));
await server.end();
