// What a webhook is sent: events and recommendations as bodies, and which of them it wants.
import type { WebhookConfig } from '../../policy/config.ts';
import type { EventRecord } from '../../protocol/operations.ts';
import type { Scaling } from '../../protocol/scaling.ts';
import type { WebhookEvent } from '../../protocol/webhooks.ts';

/** An event as every webhook is sent it. */
export interface Outgoing {
  readonly id: string;
  readonly type: string;
  readonly pool: string;
  readonly at: string;
  readonly body: string;
}

/** The type of a recommendation. It comes from the loop itself, whatever the event feed tells of it. */
export const scaleRecommended = 'scale.recommended';

/** Makes bodies whose ids no other process of this balancer gives. */
export function createEventWriter(balancer: WebhookEvent['balancer']): {
  ofRecord(record: EventRecord): Outgoing;
  ofScaling(scaling: Scaling): Outgoing;
} {
  let recommendations = 0;
  const write = (event: Omit<WebhookEvent, 'version' | 'balancer'>): Outgoing => {
    const { id, type, pool, at, data } = event;
    const whole: WebhookEvent = { version: 1, id, type, pool, at, balancer, data };
    return { id, type, pool, at, body: JSON.stringify(whole) };
  };
  return {
    ofRecord({ id, type, pool, at, ...data }) {
      const { node, by, why, message, facts } = data;
      return write({
        id: `${balancer.epoch}.${id}`,
        type,
        pool,
        at,
        data: { node, by, why, message, facts },
      });
    },
    ofScaling(scaling) {
      recommendations += 1;
      const { pool, at } = scaling;
      const id = `${balancer.epoch}.s${recommendations}`;
      return write({ id, type: scaleRecommended, pool, at, data: scaling });
    },
  };
}

/** Whether a webhook is to be told of this. What is about webhooks is told to none: failing ones would feed themselves. */
export function isWanted(
  { pools, events }: Pick<WebhookConfig, 'pools' | 'events'>,
  { type, pool }: { readonly type: string; readonly pool: string },
): boolean {
  if (type.startsWith('webhook.')) return false;
  if (pools !== 'all' && !pools.includes(pool)) return false;
  return events.some(
    (pattern) => pattern === type || (pattern.endsWith('*') && type.startsWith(pattern.slice(0, -1))),
  );
}

/**
 * What makes a recommendation news: equal texts ask for the same. Loads change with every report, and receivers need
 * not hear of that.
 */
export function gistOf({ state, action, desiredNodes, min, max, isFrozen, victims }: Scaling): string {
  const ids = victims.map(({ id }) => id).toSorted();
  return JSON.stringify([state, action, desiredNodes, min, max, isFrozen, ids]);
}
