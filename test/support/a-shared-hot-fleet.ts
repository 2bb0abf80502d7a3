// Real balancers of one process on one Redis before real nodes, of which the first is hot: all clients come through one of
// the balancers, or two.
import { onTestFinished } from 'vitest';
import type { WebSocket } from 'ws';
import type { Balancer } from '../../src/balancer/balancer.ts';
import type { SharedStore } from '../../src/balancer/state/shared-store.ts';
import { createRedisStore } from '../../src/cluster/redis-store.ts';
import { pcg32 } from '../../src/core/rng.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';
import { aRedisConfig, patientLimits } from './a-shared-store.ts';
import { anEchoNode } from './agent-node.ts';
import { eventually } from './eventually.ts';
import { aConfig, aPolicy } from './herald-setup.ts';
import { aBalancer } from './in-process.ts';
import type { RedisServer } from './redis-server.ts';
import { someClients, type Clients } from './ws-fleet.ts';

// As in hot-fleet.ts: 16 % for a node with its light clients, 64 % with the heavy ones, 32 % when all is shared out.
const lightPerNode = 12;
const heavyCount = 8;
const heavyPerSecond = 5;
const costPerMessage = 0.012;
const idleLoad = 0.02;
const limitMs = 60_000;

let seed = 0;

/** A balancer of this name; `wrap` puts something between it and Redis. */
export function aSharingBalancer(
  redis: RedisServer,
  peer: string,
  wrap: (store: SharedStore) => SharedStore = (store) => store,
): Promise<Balancer> {
  seed += 1;
  const config = aRedisConfig(redis.port, { peer });
  const clock = createSystemClock();
  const store = createRedisStore({ config, clock, rng: pcg32(seed), limits: patientLimits });
  const policy = aPolicy({ rebalance: { mode: 'off', band: '25%', cooldown: '60s' } });
  return aBalancer({ config: aConfig(), policies: { chat: policy } }, { sharedStore: wrap(store) });
}

/** Waits until this one leads; its fencing token. */
export async function untilLeads(balancer: Balancer): Promise<number> {
  const began = await eventually(
    () => balancer.events.since(0).events.findLast(({ type }) => type.startsWith('leader.')),
    (event) => event?.type === 'leader.began',
    limitMs,
  );
  return Number(began?.facts['token']);
}

/** Loads by node, as a balancer sees them. */
export function loadsOf(balancer: Balancer): Readonly<Record<string, number>> {
  const { snapshot, utilization } = balancer.assess('chat');
  return Object.fromEntries(snapshot.nodes.map(({ id }, index) => [id, utilization[index] ?? NaN]));
}

/** Nodes a, b and c with clients; a is hot. Agents report to the first of the balancers, clients come through all. */
export async function heatUp(balancers: readonly [Balancer, ...Balancer[]]): Promise<readonly Clients[]> {
  const [first] = balancers;
  for (const id of ['a', 'b', 'c']) await aBusyNode(id, `http://127.0.0.1:${first.intakePort}`);
  const settled = (fits: (loads: Readonly<Record<string, number>>) => boolean) =>
    Promise.all(balancers.map((each) => eventually(() => loadsOf(each), fits, limitMs)));
  await settled((loads) => Object.keys(loads).length === 3);
  const connect = (count: number, perSecond: number) =>
    Promise.all(
      balancers.map((each) =>
        someClients(each.listenerPort('public'), {
          count: count / balancers.length,
          path: '/',
          greet: talker(perSecond),
        }),
      ),
    );
  const light = await connect(lightPerNode * 3, 1);
  await settled((loads) => Object.values(loads).every((load) => load > 0.08 && load < 0.3));
  first.control.setAdminState(['b', 'c'], { adminState: 'maint' }, { by: 'test' });
  await settled(() => balancers.every((each) => each.registry.node('c').node.adminState === 'maint'));
  const heavy = await connect(heavyCount, heavyPerSecond);
  await settled(({ a = NaN }) => a > 0.55);
  first.control.setAdminState(['b', 'c'], { adminState: 'ready' }, { by: 'test' });
  await settled(() => balancers.every((each) => each.registry.node('c').node.adminState === 'ready'));
  return [...light, ...heavy];
}

/** A node that reports what its message rate over the last second comes to. */
async function aBusyNode(id: string, intakeUrl: string): Promise<void> {
  const arrivals: number[] = [];
  const messagesLately = () => {
    const sinceMs = performance.now() - 1000;
    while ((arrivals[0] ?? Infinity) < sinceMs) arrivals.shift();
    return arrivals.length;
  };
  await anEchoNode(id, intakeUrl, {
    greet: (socket) => void socket.on('message', () => arrivals.push(performance.now())),
    agent: { signals: { busy: () => idleLoad + messagesLately() * costPerMessage } },
  });
}

/** Lets every connection talk at this rate. */
function talker(perSecond: number): (socket: WebSocket) => void {
  return (socket) => {
    const timer = setInterval(() => socket.send('x'), 1000 / perSecond);
    const silence = () => clearInterval(timer);
    socket.on('close', silence);
    onTestFinished(silence);
  };
}
