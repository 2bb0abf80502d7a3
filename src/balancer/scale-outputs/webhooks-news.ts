// What webhooks tell of themselves, as events. No webhook is sent them: see isWanted.
import type { EventRecord } from '../../protocol/operations.ts';
import type { HookNews } from './webhooks-hook.ts';

type Told = Omit<EventRecord, 'id' | 'at'>;

const about = { pool: '', node: '', by: '', why: '' };

/** The event of this news of the webhook. */
export function newsEvent(webhook: string, news: HookNews): Told {
  switch (news.kind) {
    case 'failing':
      return {
        ...about,
        type: 'webhook.failing',
        message: `Webhook '${webhook}' does not take events: ${news.reason}.`,
        facts: { webhook, reason: news.reason },
      };
    case 'recovered':
      return {
        ...about,
        type: 'webhook.recovered',
        message: `Webhook '${webhook}' takes events again.`,
        facts: { webhook },
      };
    default:
      return lostEvent(webhook, news);
  }
}

/** The event of a webhook that is gone with events that waited for it. */
export function removedEvent(webhook: string, events: number): Told {
  const message = `Webhook '${webhook}' is not configured any more: events that waited are dropped: ${events}.`;
  return { ...about, type: 'webhook.removed', message, facts: { webhook, events } };
}

function lostEvent(webhook: string, { kind, event, reason }: Extract<HookNews, { event: unknown }>): Told {
  const { id, type, pool, attempts } = event;
  const facts = { webhook, event: id, type, attempts, reason };
  return kind === 'dead'
    ? {
        ...about,
        pool,
        type: 'webhook.gaveUp',
        message: `Webhook '${webhook}' has given up ${type} ${id}: ${reason}.`,
        facts,
      }
    : {
        ...about,
        pool,
        type: 'webhook.forgot',
        message: `Webhook '${webhook}' has forgotten the dead letter ${type} ${id}: newer ones need the room.`,
        facts,
      };
}
