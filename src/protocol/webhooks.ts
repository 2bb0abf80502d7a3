// The JSON of webhooks: what a receiver is sent, and what the admin API tells of deliveries. Types only.
import type { EventRecord } from './operations.ts';
import type { Scaling } from './scaling.ts';

/** The body of a delivery. Its members are API; new ones may come, none goes or changes its meaning. */
export interface WebhookEvent {
  /** Version of this form. */
  readonly version: 1;
  /** The same in every delivery of this event, to whichever webhook and after a restart too; `[a-z0-9.]{3,64}`. */
  readonly id: string;
  /** `scale.recommended`, or a type of docs/reference/events.md. */
  readonly type: string;
  /** '' when it is about no pool. */
  readonly pool: string;
  /** When it happened: ISO 8601, UTC. */
  readonly at: string;
  /** Who tells: Herald's version, and a text that is another one after each restart. */
  readonly balancer: { readonly version: string; readonly epoch: string };
  /** The recommendation for `scale.recommended`, else the event. */
  readonly data: Scaling | Pick<EventRecord, 'node' | 'by' | 'why' | 'message' | 'facts'>;
}

/** One line of `GET /v1/webhooks`. */
export interface WebhookView {
  readonly name: string;
  /** Without its query, which may be a secret. */
  readonly url: string;
  /** Null: all of them. */
  readonly pools: readonly string[] | null;
  readonly events: readonly string[];
  /** `failing` after three failed attempts in a row, until one succeeds; `idle` before the first delivery. */
  readonly state: 'idle' | 'working' | 'failing';
  /** Events that wait or are being sent. */
  readonly queued: number;
  /** Age of the oldest of them; null when there is none. */
  readonly oldestAgeMs: number | null;
  readonly deadLetters: number;
  /** Events delivered since the process began. */
  readonly delivered: number;
  /** ISO 8601, UTC; null before the first. */
  readonly lastDeliveredAt: string | null;
  readonly lastFailure: { readonly at: string; readonly reason: string } | null;
}

/** `GET /v1/webhooks` */
export interface WebhookList {
  readonly webhooks: readonly WebhookView[];
}

/** An event that was given up. */
export interface DeadLetter {
  /** The event's id. */
  readonly id: string;
  readonly type: string;
  readonly pool: string;
  /** When it happened, and when it was given up: ISO 8601, UTC. */
  readonly at: string;
  readonly diedAt: string;
  readonly attempts: number;
  /** Why it was given up, with the last answer. */
  readonly reason: string;
}

/** `GET /v1/webhooks/{name}/dead-letters`: the newest last. */
export interface DeadLetterList {
  readonly deadLetters: readonly (DeadLetter & { readonly event: WebhookEvent })[];
}
