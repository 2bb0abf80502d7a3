// Schemas of webhooks and their dead letters.
import { z } from 'zod';
import type {
  DeadLetter,
  DeadLetterList,
  WebhookEvent,
  WebhookList,
  WebhookView,
} from '../../../protocol/webhooks.ts';

const count = z.int().min(0);
const instant = z.string().describe('ISO 8601, UTC.');

const webhook: z.ZodType<WebhookView> = z.object({
  name: z.string(),
  url: z.string().describe('Without its query, which may be a secret.'),
  pools: z.array(z.string()).nullable().describe('Null: all of them.'),
  events: z.array(z.string()),
  state: z
    .enum(['idle', 'working', 'failing'])
    .describe('`failing` after three failed attempts in a row; `idle` before the first attempt.'),
  queued: count.describe('Events that wait or are being sent.'),
  oldestAgeMs: count.nullable().describe('Age of the oldest of them.'),
  deadLetters: count,
  delivered: count.describe('Events delivered since the process began.'),
  lastDeliveredAt: instant.nullable(),
  lastFailure: z.object({ at: instant, reason: z.string() }).nullable(),
});

/** `GET /v1/webhooks` */
export const webhookList: z.ZodType<WebhookList> = z.object({ webhooks: z.array(webhook) });

const letterFields = {
  id: z.string().describe("The event's id."),
  type: z.string(),
  pool: z.string(),
  at: instant.describe('When it happened.'),
  diedAt: instant.describe('When it was given up.'),
  attempts: count,
  reason: z.string().describe('Why it was given up, with the last answer.'),
};

// Its form depends on the type, and docs/integrations/webhooks.md has it. Proof of the cast: it was written as one.
const eventData = z
  .record(z.string(), z.unknown())
  .describe('The recommendation for scale.recommended, else the event.') as unknown as z.ZodType<
  WebhookEvent['data']
>;

const webhookEvent: z.ZodType<WebhookEvent> = z.object({
  version: z.literal(1),
  id: z.string(),
  type: z.string(),
  pool: z.string(),
  at: instant,
  balancer: z.object({ version: z.string(), epoch: z.string() }),
  data: eventData,
});

/** `GET /v1/webhooks/{name}/dead-letters` */
export const deadLetterList: z.ZodType<DeadLetterList> = z.object({
  deadLetters: z.array(z.object({ ...letterFields, event: webhookEvent })).describe('The newest last.'),
});

/** `POST /v1/webhooks/{name}/dead-letters/{id}/redeliver` */
export const deadLetter: z.ZodType<DeadLetter> = z.object(letterFields);
