// What HAProxy makes of an operator's wishes, whichever agent passes them on. Not a test itself.
import type { Haproxy } from '../../support/haproxy.ts';
import { taken, type StubBalancer } from './stub-balancer.ts';

/** Sets a node to each admin state and back; HAProxy has to follow, and to keep its weight. */
export async function expectToObey(
  balancer: StubBalancer,
  haproxy: Haproxy,
  { node, weight }: { node: string; weight: number },
): Promise<void> {
  const steps = [
    ['drain', 'DRAIN (agent)'],
    ['ready', 'UP'],
    ['maint', 'MAINT'],
    ['ready', 'UP'],
  ] as const;
  for (const [wish, status] of steps) {
    balancer.answer = taken(wish);
    await haproxy.until(node, status, weight);
  }
}
