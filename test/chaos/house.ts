// Everything that a run breaks: one redis-server, balancers, nodes and clients, started together and ended together.
import { join } from 'node:path';
import { startRedis, type RedisServer } from '../support/redis-server.ts';
import { eventually } from '../support/eventually.ts';
import type { PeersAnswer } from '../../src/protocol/peering.ts';
import { ChaosBalancer, type LogLine } from './balancer.ts';
import { Crowd } from './crowd.ts';
import { Desk } from './desk.ts';
import type { Verdicts } from './invariants.ts';
import type { Journal } from './journal.ts';
import { ChaosNode } from './node.ts';
import { signal } from './processes.ts';

/** How large a run is, and where it writes. */
export interface HouseOptions {
  readonly seed: number;
  readonly balancers: number;
  readonly nodes: number;
  readonly clients: number;
  /** Directory for logs; it is there. */
  readonly folder: string;
  readonly journal: Journal;
  readonly verdicts: Verdicts;
}

/** A balancer has begun to lead. */
export interface LeaderToken {
  readonly id: string;
  readonly token: number;
  /** By the clock of its log. */
  readonly wallMs: number;
}

/** What a run acts on. */
export interface House {
  readonly redis: RedisServer;
  readonly balancers: readonly ChaosBalancer[];
  readonly nodes: readonly ChaosNode[];
  readonly crowd: Crowd;
  /** What operators have said. */
  readonly desk: Desk;
  readonly journal: Journal;
  readonly verdicts: Verdicts;
  /** Leads as they began, in the order in which logs were read. */
  readonly tokens: readonly LeaderToken[];
  /** Every process that was ever started, by who it was. */
  readonly everyPid: () => readonly (readonly [who: string, pid: number])[];
  /** Ends everything at once, whatever state it is in. */
  end(): Promise<void>;
}

const startWithinMs = 120_000;
const errorLevel = 50;

/** Ids `n-1` to `n-COUNT`. */
export function nodeIds(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `n-${index + 1}`);
}

/** Starts everything; resolves when every client is connected. What was started is ended where that fails. */
export async function openHouse(options: HouseOptions): Promise<House> {
  const { seed, journal, verdicts, clients } = options;
  const redis = await startRedis({ isShared: true });
  const balancers: ChaosBalancer[] = [];
  const nodes: ChaosNode[] = [];
  const tokens: LeaderToken[] = [];
  const ids = Array.from({ length: options.balancers }, (_, index) => `lb-${index + 1}`);
  for (const id of ids) balancers.push(await aBalancer(id, redis, { ...options, tokens }));
  for (const id of nodeIds(options.nodes)) {
    const node = await ChaosNode.create(
      id,
      balancers.map(({ intakeUrl }) => intakeUrl),
    );
    nodes.push(node);
  }
  const crowd = new Crowd({ count: clients, seed, doors: balancers, journal, verdicts });
  const desk = new Desk({ balancers: ids, nodes: nodeIds(options.nodes), journal, verdicts });
  const house: House = {
    redis,
    balancers,
    nodes,
    crowd,
    desk,
    journal,
    verdicts,
    tokens,
    everyPid: () =>
      [...balancers, ...nodes].flatMap(({ id, served }) => served.map((pid) => [id, pid] as const)),
    async end() {
      crowd.leave();
      crowd.end();
      for (const node of nodes) {
        node.wake();
        await node.kill();
      }
      for (const balancer of balancers) await balancer.close();
      redis.resume();
      await redis.end();
    },
  };
  // A run that is cut short leaves nothing behind.
  process.once('exit', () => {
    for (const [, pid] of house.everyPid()) signal(pid, 'SIGKILL');
    void redis.kill();
  });
  try {
    await Promise.all([...balancers, ...nodes].map((each) => each.start()));
    await allMeet(balancers);
    crowd.come(clients * 10);
    await eventually(
      () => crowd.connected,
      (count) => count === clients,
      startWithinMs,
    );
  } catch (error) {
    await house.end();
    throw error;
  }
  journal.tell(`${clients} clients are connected to ${nodes.length} nodes by ${balancers.length} balancers`);
  return house;
}

/** Opens one; what its log says against it, or of the lead, is kept. */
function aBalancer(
  id: string,
  redis: RedisServer,
  { folder, verdicts, tokens }: HouseOptions & { tokens: LeaderToken[] },
): Promise<ChaosBalancer> {
  const onLog = (line: LogLine) => {
    const text = JSON.stringify(line);
    const isError = line.level >= errorLevel || text.includes('HERALD_INTERNAL');
    verdicts.check('errors', !isError, () => `${id} logs ${text.slice(0, 500)}`);
    const { type, token, time } = line;
    if (type === 'leader.began') tokens.push({ id, token: Number(token), wallMs: Date.parse(String(time)) });
  };
  return ChaosBalancer.open({ id, redisPort: redis.port, logFile: join(folder, `${id}.log`), onLog });
}

async function allMeet(balancers: readonly ChaosBalancer[]): Promise<void> {
  for (const balancer of balancers)
    await eventually(
      () => balancer.get<PeersAnswer>('/v1/peers'),
      ({ peers }) => peers.length === balancers.length - 1,
      startWithinMs,
    );
}
