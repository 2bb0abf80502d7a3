// What the API asks of webhooks. Who implements it is beside this room, and wired by the balancer.
import { HeraldError } from '../../core/error.ts';
import type { DeadLetterList, WebhookView } from '../../protocol/webhooks.ts';

/** Webhooks as operators see them. */
export interface WebhookDesk {
  /** In order of configuration. */
  list(): readonly WebhookView[];
  /** The newest last. HERALD_WEBHOOK_UNKNOWN. */
  deadLetters(name: string): DeadLetterList['deadLetters'];
  /** Sends a dead letter once more. HERALD_WEBHOOK_UNKNOWN, HERALD_DEAD_LETTER_UNKNOWN. */
  redeliver(name: string, id: string): void;
}

/** The desk, or HERALD_NOT_AVAILABLE. */
export function needWebhooks(webhooks: WebhookDesk | undefined): WebhookDesk {
  if (webhooks !== undefined) return webhooks;
  throw new HeraldError('HERALD_NOT_AVAILABLE', 'this balancer was started without webhooks');
}
