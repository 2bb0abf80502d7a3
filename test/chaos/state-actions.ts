// What a run does to Redis and to the links between it and the balancers.
import type { Action, Begun } from './action.ts';
import type { ChaosBalancer } from './balancer.ts';
import type { House } from './house.ts';
import { oneOf } from './schedule.ts';

/** Does something to the link of one balancer, which is mended at the end. */
function onLink(
  house: House,
  pick: number,
  { what, isApart, spoil }: { what: string; isApart: boolean; spoil: (balancer: ChaosBalancer) => void },
): Begun {
  const balancer = oneOf(house.balancers, pick);
  spoil(balancer);
  return {
    what: `${what} between ${balancer.id} and Redis`,
    ...(isApart && { apart: [balancer.id] }),
    async heal() {
      balancer.link.mend();
    },
  };
}

/** Rows of the lane `state`. */
export const stateActions: readonly Action[] = [
  {
    name: 'redis-kill',
    lane: 'state',
    lastsMs: [1000, 8000],
    about: 'SIGKILL to redis-server. It is started again on the same port, empty.',
    async begin({ redis }) {
      await redis.kill();
      return { what: 'Redis is killed', apart: 'all', heal: () => redis.restart() };
    },
  },
  {
    name: 'redis-stop',
    lane: 'state',
    lastsMs: [2000, 9000],
    about:
      'SIGSTOP to redis-server: the kernel takes connections and bytes, nobody answers. SIGCONT heals it.',
    async begin({ redis }) {
      redis.pause();
      return { what: 'Redis is stopped', apart: 'all', heal: async () => redis.resume() };
    },
  },
  {
    name: 'link-cut',
    lane: 'state',
    lastsMs: [2000, 12_000],
    about:
      'The connections of one balancer to Redis are reset, and new ones at once. Then they are let through.',
    begin: async (house, pick) =>
      onLink(house, pick, { what: 'cut', isApart: true, spoil: ({ link }) => link.cut() }),
  },
  {
    name: 'link-half-open',
    lane: 'state',
    lastsMs: [3000, 12_000],
    about:
      'What one balancer and Redis send each other vanishes, and nobody is told. In the end these connections are reset.',
    begin: async (house, pick) =>
      onLink(house, pick, { what: 'half-open', isApart: true, spoil: ({ link }) => link.deafen() }),
  },
  {
    name: 'link-slow',
    lane: 'state',
    lastsMs: [4000, 12_000],
    about: 'Bytes between one balancer and Redis take 400 ms more each way, in order.',
    begin: async (house, pick) =>
      onLink(house, pick, { what: 'slow (400 ms)', isApart: false, spoil: ({ link }) => link.slow(400) }),
  },
];
