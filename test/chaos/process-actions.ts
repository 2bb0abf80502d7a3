// What a run does to balancers, their workers, and nodes.
import type { Action } from './action.ts';
import type { ChaosBalancer } from './balancer.ts';
import type { House } from './house.ts';
import type { ChaosNode } from './node.ts';
import { isAlive, signal } from './processes.ts';
import { oneOf } from './schedule.ts';

const nothing = (): Promise<void> => Promise.resolve();

/** A balancer that serves, if another does besides. */
function living({ balancers }: House, pick: number): ChaosBalancer | string {
  const serving = balancers.filter(({ isWanted }) => isWanted);
  return serving.length < 2 ? 'no two balancers serve' : oneOf(serving, pick);
}

/** A balancer that serves by workers, if another serves besides, with what they carry. */
async function livingWithWorkers(
  { balancers }: House,
  pick: number,
): Promise<{ balancer: ChaosBalancer; workers: Awaited<ReturnType<ChaosBalancer['workers']>> } | string> {
  const serving = balancers.filter(({ isWanted }) => isWanted);
  if (serving.length < 2) return 'no two balancers serve';
  const all = await Promise.all(
    serving.map(async (balancer) => ({ balancer, workers: await balancer.workers() })),
  );
  const having = all.filter(({ workers }) => workers.length > 0);
  return having.length === 0 ? 'none that serves has workers' : oneOf(having, pick);
}

/** A node that runs, if two others do besides. */
function running({ nodes }: House, pick: number): ChaosNode | string {
  const up = nodes.filter(({ isRunning }) => isRunning);
  return up.length < 3 ? 'no three nodes run' : oneOf(up, pick);
}

/** Starts a balancer again whose end was told by `down`; all of it in the verdicts, since none may fail to. */
async function startAgain({ verdicts }: House, balancer: ChaosBalancer, down: () => void): Promise<void> {
  const failure = await balancer.start().then(
    () => '',
    (error: unknown) => String(error),
  );
  verdicts.check('serves', failure === '', () => failure);
  down();
}

function say(stderr: string): string {
  return stderr.trim().slice(0, 500);
}

/** Rows of the lane `process`. */
export const processActions: readonly Action[] = [
  {
    name: 'balancer-kill',
    lane: 'process',
    lastsMs: [500, 8000],
    about:
      'Takes two that serve. SIGKILL to all processes of one balancer. It is started again with the same files and ports.',
    async begin(house, pick) {
      const balancer = living(house, pick);
      if (typeof balancer === 'string') return balancer;
      const down = house.journal.begin('balancerDown', balancer.id);
      await balancer.kill();
      house.desk.forget(balancer.id);
      return { what: `${balancer.id} is killed`, heal: () => startAgain(house, balancer, down) };
    },
  },
  {
    name: 'main-kill',
    lane: 'process',
    lastsMs: [500, 4000],
    about:
      'Takes a balancer that relays in workers, and another that serves. SIGKILL to its main process alone: the workers ask their clients to leave, within a minute. It is started again at once with the same files and ports.',
    async begin(house, pick) {
      const found = await livingWithWorkers(house, pick);
      if (typeof found === 'string') return found;
      const { balancer } = found;
      const ended = house.journal.begin('balancerEnding', balancer.id);
      // Its workers have a minute, and then what they had is cut.
      setTimeout(ended, 65_000).unref();
      const down = house.journal.begin('balancerDown', balancer.id);
      await balancer.killMain();
      house.desk.forget(balancer.id);
      return {
        what: `the main process of ${balancer.id} is killed`,
        heal: () => startAgain(house, balancer, down),
      };
    },
  },
  {
    name: 'balancer-term',
    lane: 'process',
    lastsMs: [500, 5000],
    about:
      'Takes two that serve. SIGTERM to one balancer, which has five seconds for its goodbyes and must end with 0. It is started again.',
    async begin(house, pick) {
      const balancer = living(house, pick);
      if (typeof balancer === 'string') return balancer;
      const ended = house.journal.begin('balancerEnding', balancer.id);
      const code = await balancer.terminate();
      const down = house.journal.begin('balancerDown', balancer.id);
      ended();
      house.desk.forget(balancer.id);
      const { stderr } = balancer;
      house.verdicts.check(
        'serves',
        code === 0 || code === undefined,
        () => `${balancer.id} ended with ${code}`,
      );
      house.verdicts.check('errors', stderr === '', () => `${balancer.id} on stderr: ${say(stderr)}`);
      return { what: `${balancer.id} is ended`, heal: () => startAgain(house, balancer, down) };
    },
  },
  {
    name: 'takeover',
    lane: 'process',
    lastsMs: [500, 2000],
    about:
      'SIGUSR2 to one balancer: a new process takes its sockets over, and the old one relays for 15 s more.',
    async begin(house, pick) {
      const balancer = living(house, pick);
      if (typeof balancer === 'string') return balancer;
      const outcome = await balancer.takeOver();
      if (outcome !== 'done') return `refused by ${balancer.id}: ${outcome.refused}`;
      // The old process asks what is left to leave after 15 s, and may take as long as its grace.
      const ended = house.journal.begin('balancerEnding', balancer.id);
      setTimeout(ended, 25_000).unref();
      return { what: `${balancer.id} is taken over`, heal: nothing };
    },
  },
  {
    name: 'node-kill',
    lane: 'process',
    lastsMs: [500, 6000],
    about: 'Takes three that run. SIGKILL to one node. It is started again with the same id and port.',
    async begin(house, pick) {
      const node = running(house, pick);
      if (typeof node === 'string') return node;
      house.journal.begin('nodeKilled', node.id)();
      await node.kill();
      return { what: `${node.id} is killed`, heal: () => node.start() };
    },
  },
  {
    name: 'node-stop',
    lane: 'process',
    lastsMs: [2000, 8000],
    about:
      'Takes three that run. SIGSTOP to one node: its kernel takes connections, nobody answers. SIGCONT heals it.',
    async begin(house, pick) {
      const node = running(house, pick);
      if (typeof node === 'string') return node;
      const over = house.journal.begin('nodeStopped', node.id);
      node.sleep();
      return {
        what: `${node.id} is stopped`,
        async heal() {
          node.wake();
          over();
        },
      };
    },
  },
  {
    name: 'worker-kill',
    lane: 'process',
    lastsMs: [500, 2000],
    about:
      'Takes a balancer that relays in workers (GET /v1/workers). SIGKILL to one worker, which takes its own connections with it and no others. Herald replaces it: as many run again.',
    async begin(house, pick) {
      const found = await livingWithWorkers(house, pick);
      if (typeof found === 'string') return found;
      const { balancer, workers } = found;
      const { pid, connections } = oneOf(workers, pick);
      const over = house.journal.begin('workerKilled', balancer.id, connections + justCome);
      signal(pid, 'SIGKILL');
      return {
        what: `a worker of ${balancer.id} is killed`,
        async heal() {
          const back = await replaced(balancer, { pid, count: workers.length });
          over();
          house.verdicts.check('serves', back, () => `${balancer.id} did not replace worker ${pid}`);
        },
      };
    },
  },
];

// Clients that have come since the worker last said how many it has.
const justCome = 10;
const replacedWithinMs = 30_000;

async function replaced(
  balancer: ChaosBalancer,
  { pid, count }: { pid: number; count: number },
): Promise<boolean> {
  const untilMs = performance.now() + replacedWithinMs;
  while (performance.now() < untilMs) {
    const pids = await balancer.workerPids();
    if (!isAlive(pid) && pids.length >= count && !pids.includes(pid)) return true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return false;
}
