// One fleet of bench:peers from its start to its end: balancers as they are run, nodes and clients in processes.
import type { PeersAnswer } from '../../src/protocol/peering.ts';
import type { ClientFigures } from '../../src/demo/client-crowd.ts';
import { imbalanceOf, type NodeSecond } from '../../src/demo/imbalance.ts';
import type * as childModule from '../../src/demo/child.ts';
import type { FromClients, ToClients } from '../../src/demo/messages.ts';
import type * as fleetModule from '../../src/demo/node-fleet.ts';
import { sleep } from '../../src/demo/sleep.ts';
import type { ClientPlan } from '../../src/demo/traffic.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';
import { eventually } from '../support/eventually.ts';
import { startHerald, type HeraldProcess } from '../support/herald-process.ts';
import type { HeraldSetup } from '../support/herald-setup.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';
import { benchNodes as nodes, foreseen, plansOf } from './peers-traffic.ts';

/** Balancers that are compared. */
export interface PeersArm {
  readonly name: string;
  readonly balancers: number;
  /** Whether they share a Redis. Those that do hear of each node from one agent's balancer, the others from the agent. */
  readonly shares: boolean;
}

/** What the nodes did in one second. */
export interface FleetSecond {
  readonly second: number;
  readonly nodes: readonly NodeSecond[];
}

/** What came of a run. */
export interface FleetRun {
  readonly rows: readonly FleetSecond[];
  readonly clients: ClientFigures;
  /** Messages answered ÷ messages that the plans foresee; well below 1 where the machine could not keep up. */
  readonly answeredPart: number;
}

// As built, like the balancers, and without the loader that this process runs under: two dozen compiling would be the load.
process.execArgv.splice(0);
// Proof of `as`: dist/ is made of src/ by `npm run bench:peers`.
const built = async (name: string): Promise<unknown> => import(`../../dist/demo/${name}.js`);
const children = (await built('child')) as typeof childModule;
const fleets = (await built('node-fleet')) as typeof fleetModule;

const clock = createSystemClock();
const reportIntervalMs = 5000;
// Only a process that hangs takes so long, however busy the machine is.
const startWithinMs = 120_000;

/** As the demo's, with reports every five seconds. */
const policy = {
  apiVersion: 'herald/v1',
  kind: 'Policy',
  name: 'demo',
  signals: { busy: { saturation: 1, kind: 'additive' }, queueDelayMs: { saturation: 200 } },
  reports: { interval: `${reportIntervalMs}ms`, blackout: '0s', expiry: '15s' },
  health: { check: { kind: 'tcp', interval: '2s', timeout: '1s' } },
};

/** A fleet with a lifetime: `start`, then `run`; `stop` in any case, after `start` has settled. */
export class BenchFleet {
  readonly #arm: PeersArm;
  readonly #heralds: HeraldProcess[] = [];
  readonly #clients = new children.Child<ToClients, FromClients>('client-process', {
    name: 'clients',
    clock,
  });
  readonly #nodes: fleetModule.NodeFleet;
  #redis: RedisServer | undefined;

  constructor(arm: PeersArm) {
    this.#arm = arm;
    this.#nodes = new fleets.NodeFleet({
      clock,
      reportIntervalMs,
      intakeUrls: (id) => intakeUrlsOf(id, arm, this.#heralds),
    });
  }

  /** Resolves when every balancer knows every node, and its peers. */
  async start(): Promise<void> {
    const { shares, balancers } = this.#arm;
    this.#redis = shares ? await startRedis({ isShared: true }) : undefined;
    // One after the other: where one fails, those before it are known and are ended.
    for (let index = 0; index < balancers; index += 1)
      this.#heralds.push(await startHerald(setupOf(index, this.#redis)));
    if (shares) for (const herald of this.#heralds) await hasPeers(herald, balancers - 1);
    await Promise.all(nodes.map((node) => this.#nodes.start(node)));
    await Promise.all(this.#heralds.map(hasEveryNode));
  }

  /** Sends the clients of this seed, and watches the nodes for so many seconds. Rejects as soon as `signal` is aborted. */
  async run(
    run: { readonly seed: number; readonly seconds: number },
    signal: AbortSignal,
  ): Promise<FleetRun> {
    const plans = plansOf(run.seed, run.seconds);
    signal.throwIfAborted();
    send(this.#clients, this.#heralds, plans);
    const rows = await watch(this.#nodes, run.seconds, signal);
    const finished = this.#clients.next('finished', startWithinMs);
    this.#clients.send({ kind: 'stop' });
    const figures = await finished;
    return { rows, clients: figures, answeredPart: figures.answered / foreseen(plans, run.seconds) };
  }

  async stop(): Promise<void> {
    this.#clients.kill();
    await this.#nodes.stopAll();
    await Promise.all(this.#heralds.map((herald) => herald.stop()));
    await this.#redis?.end();
  }
}

/** Highest ÷ mean busy time of the nodes in each span of `window` seconds; spans in which nothing was done are left out. */
export function ratiosOver(rows: readonly FleetSecond[], window: number): number[] {
  const ratios: number[] = [];
  for (let from = 0; from + window <= rows.length; from += window) {
    const span = rows.slice(from, from + window);
    const busy = nodes.map(({ id }) => ({ utilization: busyOf(id, span) }));
    const ratio = imbalanceOf(busy);
    if (ratio !== undefined) ratios.push(ratio);
  }
  return ratios;
}

function busyOf(id: string, span: readonly FleetSecond[]): number {
  const each = span.map((row) => row.nodes.find((node) => node.id === id)?.utilization ?? 0);
  return each.reduce((sum, utilization) => sum + utilization, 0);
}

async function hasPeers(herald: HeraldProcess, count: number): Promise<void> {
  await eventually(
    () => herald.admin<PeersAnswer>('/v1/peers'),
    ({ peers }) => peers.length === count,
    startWithinMs,
  );
}

function setupOf(index: number, redis: RedisServer | undefined): HeraldSetup {
  const url = `redis://127.0.0.1:${redis?.port}`;
  return {
    pools: { demo: { policy: 'demo', routes: [{ host: '*', path: '/' }] } },
    policies: { demo: policy },
    config: { ...(redis && { state: { kind: 'redis', url, peer: `lb-${index + 1}` } }) },
  };
}

/** Sharing, the agents are dealt out to the balancers; apart, each reports to all, or some would know nothing. */
function intakeUrlsOf(id: string, { shares }: PeersArm, heralds: readonly HeraldProcess[]): string[] {
  const urls = heralds.map(({ intakeUrl }) => intakeUrl);
  const index = nodes.findIndex((node) => node.id === id);
  return shares ? urls.slice(index % urls.length).slice(0, 1) : urls;
}

async function hasEveryNode(herald: HeraldProcess): Promise<void> {
  await eventually(
    () => herald.nodes('demo'),
    (seen) => nodes.every(({ id }) => seen[id]?.ineligible === null),
    startWithinMs,
  );
}

/** The same clients for every arm; each listener gets every so many-th of them. */
function send(
  clients: childModule.Child<ToClients, FromClients>,
  heralds: readonly HeraldProcess[],
  plans: readonly ClientPlan[],
): void {
  heralds.forEach(({ publicPort }, listener) => {
    const own = plans.filter((_, index) => index % heralds.length === listener);
    clients.send({ kind: 'start', url: `ws://127.0.0.1:${publicPort}/`, plans: own });
  });
}

async function watch(
  fleet: fleetModule.NodeFleet,
  seconds: number,
  signal: AbortSignal,
): Promise<FleetSecond[]> {
  const rows: FleetSecond[] = [];
  const startedAtMs = clock.nowMs();
  for (let second = 1; second <= seconds; second += 1) {
    await sleep(clock, startedAtMs + second * 1000 - clock.nowMs(), signal);
    const measured = await fleet.measure();
    // In one order, whichever started first.
    rows.push({ second, nodes: nodes.flatMap(({ id }) => measured.get(id) ?? []) });
  }
  return rows;
}
