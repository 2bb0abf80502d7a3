// Webhooks as the API asks for them: one named `chat`, with one dead letter that stays whatever is done with it.
import type { WebhookDesk } from '../../src/balancer/admin/webhook-port.ts';

const at = '2026-01-01T00:00:00.000Z';
const about = { id: 'b', type: 'node.up', pool: 'chat', at };

/** The desk. */
export function aStubDesk(): WebhookDesk {
  const data = { node: 'a', by: '', why: '', message: 'Node up.', facts: { reason: 'test' } };
  return {
    list: () => [
      {
        name: 'chat',
        url: 'https://hooks.example/',
        pools: ['chat'],
        events: ['*'],
        state: 'failing',
        queued: 1,
        oldestAgeMs: 5,
        deadLetters: 1,
        delivered: 2,
        lastDeliveredAt: at,
        lastFailure: { at, reason: 'answered 500' },
      },
    ],
    deadLetters: () => [
      {
        ...about,
        diedAt: at,
        attempts: 3,
        reason: 'failed in each of 3 attempts: answered 500',
        event: { version: 1, ...about, balancer: { version: '0.0.0', epoch: 'x' }, data },
      },
    ],
    redeliver: () => undefined,
  };
}
