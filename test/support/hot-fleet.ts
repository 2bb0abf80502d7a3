// A fleet with work to move: nodes whose agents report what the messages of their clients cost, and one node that has
// all of those who talk a lot.
import { onTestFinished } from 'vitest';
import type { WebSocket } from 'ws';
import type { PoolSummary } from '../../src/protocol/admin-api.ts';
import { anEchoNode } from './agent-node.ts';
import { eventually } from './eventually.ts';
import { aHerald, type HeraldProcess } from './herald-process.ts';
import { aPolicy } from './herald-setup.ts';
import { someClients } from './ws-fleet.ts';

/** What a hot fleet is made of. */
export interface HotFleetOptions {
  /** Ids of the nodes; the first one becomes hot. */
  readonly nodes?: readonly [string, ...string[]];
  /** Sections of the policy `chat`. */
  readonly policy?: object;
  /** Further keys of herald.yaml. */
  readonly config?: object;
  /** False: the fleet stays level. */
  readonly isHot?: boolean;
  /** Waits until the balancer has forgotten that all clients came a moment ago: else they pass for the usual rate. */
  readonly isCalm?: boolean;
}

/** A running hot fleet. */
export interface HotFleet {
  readonly herald: HeraldProcess;
  /** Close codes that clients have seen. */
  codes(): readonly number[];
}

// Twelve clients a node at one message a second and 1.2 % a message: 16 % with what an idle node has to do. Eight more at
// five messages a second take one node to 64 %; all would be at 32 % if they were shared out. Heavier ones would leave
// lumps that no rebalance can level.
const lightPerNode = 12;
const heavyCount = 8;
const heavyPerSecond = 5;
const costPerMessage = 0.012;
const idleLoad = 0.02;
// A quarter of the band is what a node may be above the level when all is said to be level: one heavy client.
const rebalance = { mode: 'off', band: '25%', cooldown: '60s' };

/** Starts a balancer, nodes and clients; resolves when the reports show the first node hot, and nobody else. */
export async function aHotFleet({
  nodes: ids = ['a', 'b', 'c'],
  policy = {},
  config = {},
  isHot = true,
  isCalm = false,
}: HotFleetOptions = {}): Promise<HotFleet> {
  const herald = await aHerald({
    pools: { chat: { policy: 'chat', routes: [{ path: '/chat' }] }, games: { policy: 'chat' } },
    policies: { chat: aPolicy({ rebalance, ...policy }) },
    config,
  });
  for (const id of ids) await aBusyNode(id, herald);
  await herald.eligible(...ids);
  const [first, ...others] = ids;
  const scores = (isWanted: (id: string, score: number) => boolean) =>
    eventually(herald.nodes, (seen) => ids.every((id) => isWanted(id, seen[id]?.score ?? NaN)));
  const connect = (count: number, perSecond: number) =>
    someClients(herald.publicPort, { count, path: '/chat', greet: talker(perSecond) });
  const clients = [await connect(lightPerNode * ids.length, 1)];
  await scores((_, score) => score > 0.08 && score < 0.3);
  if (isHot) {
    // The heavy ones find one node only.
    await herald.cli('maint', ...others);
    clients.push(await connect(heavyCount, heavyPerSecond));
    await scores((id, score) => (id === first ? score > 0.55 : score < 0.3));
    await herald.cli('ready', ...others);
  }
  const arrivals = async () => (await herald.admin<PoolSummary>('/v1/pools/chat')).arrivalsPerSecond;
  if (isCalm) await eventually(arrivals, (perSecond) => perSecond < 0.2, 40_000);
  return { herald, codes: () => clients.flatMap(({ codes }) => codes) };
}

/** A node that reports what its message rate over the last second comes to. */
async function aBusyNode(id: string, herald: HeraldProcess): Promise<void> {
  const arrivals: number[] = [];
  const messagesLately = () => {
    const sinceMs = performance.now() - 1000;
    while ((arrivals[0] ?? Infinity) < sinceMs) arrivals.shift();
    return arrivals.length;
  };
  await anEchoNode(id, herald.intakeUrl, {
    greet: (socket) => void socket.on('message', () => arrivals.push(performance.now())),
    agent: { signals: { busy: () => idleLoad + messagesLately() * costPerMessage } },
  });
}

/** Lets every connection talk at this rate, evenly spread. */
function talker(perSecond: number): (socket: WebSocket, client: number) => void {
  const everyMs = 1000 / perSecond;
  return (socket, client) => {
    let timer: NodeJS.Timeout | undefined;
    const first = setTimeout(
      () => (timer = setInterval(() => socket.send('x'), everyMs)),
      (client * 137) % everyMs,
    );
    const silence = () => {
      clearTimeout(first);
      clearInterval(timer);
    };
    socket.on('close', silence);
    onTestFinished(silence);
  };
}
