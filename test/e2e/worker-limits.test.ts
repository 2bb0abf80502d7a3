// Limits where workers relay: they hold those of a listener together, and what they count is one sum.
import { expect, it, onTestFinished } from 'vitest';
import type { WorkersAnswer } from '../../src/protocol/workers.ts';
import { eventually } from '../support/eventually.ts';
import { aHerald, type HeraldProcess } from '../support/herald-process.ts';
import { aPolicy } from '../support/herald-setup.ts';
import { RawClient, upgradeText } from '../support/raw-client.ts';
import { kill } from '../support/takeover-house.ts';
import { until } from '../support/until.ts';
import { anEchoNode } from '../support/ws-fleet.ts';

/** A balancer with two workers and a node, and a way to have one of them accept. */
async function twoWorkers(limits: object) {
  const nodes = [{ id: 'a', address: `127.0.0.1:${await anEchoNode()}` }];
  const herald = await aHerald({
    config: { workers: 2, listeners: [{ name: 'public', bind: '127.0.0.1:0', limits }] },
    pools: { chat: { policy: 'chat', nodes } },
    policies: { chat: aPolicy({ health: { check: 'off' }, place: { slowStart: '0s' } }) },
  });
  const view = async () => (await herald.admin<WorkersAnswer>('/v1/workers')).workers;
  const workers = await view();
  const pids = workers.map(({ pid }) => pid);
  onTestFinished(() => pids.forEach((pid) => void kill(pid, 'SIGCONT')));
  /** The other one stands still, and accepts nothing. */
  const only = (index: 0 | 1) => {
    kill(pids[1 - index] ?? 0, 'SIGSTOP');
    kill(pids[index] ?? 0, 'SIGCONT');
  };
  /** Waits until the main process has heard that a worker has so many. */
  const says = (index: 0 | 1, connections: number) =>
    eventually(view, (seen) => seen[index]?.connections === connections);
  return { herald, pids, only, says };
}

/** A client that has heard whether he may come in; who may not is gone. */
async function knock(herald: HeraldProcess): Promise<RawClient> {
  const client = new RawClient(herald.publicPort).send(upgradeText());
  onTestFinished(() => void client.socket.destroy());
  await until(
    () => client.received.includes('\r\n\r\n') || client.isOver,
    () => 'nobody answers',
    15_000,
  );
  if (!isInside(client)) await client.over();
  return client;
}

function isInside({ received }: RawClient): boolean {
  return received.startsWith('HTTP/1.1 101');
}

/** Knocks until somebody hears `code`; who was let in before is sent away again. */
async function full(herald: HeraldProcess, code: string): Promise<void> {
  await eventually(
    async () => {
      const { socket, received } = await knock(herald);
      socket.destroy();
      return received;
    },
    (received) => received.includes(code),
  );
}

it.each([
  [{ connections: 20 }, 'HERALD_LISTENER_FULL'],
  [{ connectionsPerAddress: 20 }, 'HERALD_ADDRESS_FULL'],
])('workers hold %o together, and what a dead one had is free again', async (limits, code) => {
  const { herald, pids, only, says } = await twoWorkers(limits);
  const inside: RawClient[] = [];
  const crowd = async (count: number) => {
    for (let i = 0; i < count; i += 1) inside.push(await eventually(() => knock(herald), isInside));
  };
  only(0);
  await crowd(12);
  await says(0, 12);
  only(1);
  await crowd(8);
  await says(1, 8);
  // Each has room of its own left, and hears that the other has taken it.
  await full(herald, code);
  only(0);
  await full(herald, code);
  expect(inside.filter(({ isOver }) => !isOver)).toHaveLength(20);
  for (const pid of pids) kill(pid, 'SIGCONT');

  kill(pids[0] ?? 0, 'SIGKILL');
  await until(
    () => inside.filter(({ isOver }) => !isOver).length === 8,
    () => 'the clients of the dead worker are still there',
    15_000,
  );
  await crowd(12);
  await full(herald, code);
  expect(inside.filter(({ isOver }) => !isOver)).toHaveLength(20);
});

it('refusals of all workers are counted together', async () => {
  const listeners = [{ name: 'public', bind: '127.0.0.1:0', limits: { connections: 1 } }];
  const herald = await aHerald({ config: { workers: 2, listeners } });
  const clients = Array.from({ length: 5 }, () => new RawClient(herald.publicPort));
  const refused = () => clients.filter(({ received }) => received.includes('HERALD_LISTENER_FULL')).length;
  // Five at a time: each worker may let one in before it hears of the other's.
  await until(
    () => refused() >= 3,
    () => `${refused()} were refused`,
  );
  const told = await eventually(
    async () => (await herald.metrics()).get('herald_refusals_total{pool="",code="HERALD_LISTENER_FULL"}'),
    (count) => (count ?? 0) >= refused(),
  );
  expect(told).toBe(refused());
  expect(refused()).toBeLessThanOrEqual(4);
  for (const { socket } of clients) socket.destroy();
});
