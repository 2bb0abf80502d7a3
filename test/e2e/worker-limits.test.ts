// Limits where workers relay: each holds those of a listener by itself, and what they count is one sum.
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { aHerald } from '../support/herald-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

it('workers hold the limits of a listener, and their refusals are counted together', async () => {
  const listeners = [{ name: 'public', bind: '127.0.0.1:0', limits: { connections: 1 } }];
  const herald = await aHerald({ config: { workers: 2, listeners } });
  const clients = Array.from({ length: 5 }, () => new RawClient(herald.publicPort));
  const refused = () => clients.filter(({ received }) => received.includes('HERALD_LISTENER_FULL')).length;
  // Whoever comes first to accept may be the same worker each time.
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
