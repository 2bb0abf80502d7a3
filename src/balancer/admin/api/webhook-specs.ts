// The routes of webhooks.
import { operations, why } from './pool-specs.ts';
import type { RouteSpec } from './route-spec.ts';
import { deadLetter, deadLetterList, webhookList } from './webhook-schemas.ts';

/** By operation id. */
export const webhookRoutes = {
  listWebhooks: {
    method: 'GET',
    path: '/v1/webhooks',
    summary: 'Who is told of events, and how that goes',
    role: 'read',
    answers: [{ status: 200, description: 'In order of configuration.', schema: webhookList }],
    problems: operations,
  },
  listDeadLetters: {
    method: 'GET',
    path: '/v1/webhooks/{name}/dead-letters',
    summary: 'Events that a webhook has given up',
    role: 'read',
    answers: [{ status: 200, description: 'The newest last.', schema: deadLetterList }],
    problems: operations,
  },
  redeliverDeadLetter: {
    method: 'POST',
    path: '/v1/webhooks/{name}/dead-letters/{id}/redeliver',
    summary: 'Send a dead letter once more, behind what waits for its pool',
    role: 'operate',
    headers: why,
    answers: [{ status: 202, description: 'It waits to be sent; what it was.', schema: deadLetter }],
    problems: ['HERALD_DEAD_LETTER_UNKNOWN', ...operations],
  },
} as const satisfies Record<string, RouteSpec>;
