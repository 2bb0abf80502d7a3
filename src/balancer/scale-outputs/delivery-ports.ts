// What deliveries ask of whoever posts, and what they tell. Types only.
import type { QueuedEvent } from './delivery-queue.ts';

/** What came of one attempt. */
export type SendOutcome =
  | { readonly kind: 'delivered' }
  /** `wishMs`: how long the receiver asks to be left alone. */
  | { readonly kind: 'failed'; readonly reason: string; readonly wishMs?: number }
  /** The receiver does not want this event, now or ever. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Sends one event once. Bounds its own time and never rejects; ends at once when `signal` is aborted. */
export type Send = (event: Readonly<QueuedEvent>, signal: AbortSignal) => Promise<SendOutcome>;

/** When an event is given up. */
export interface DeliveryRule {
  readonly attempts: number;
  readonly maxAgeMs: number;
}

/** An event that nobody tries any more. `dead`: it is a dead letter now; `forgotten`: it was one. */
export interface LostNote {
  readonly kind: 'dead' | 'forgotten';
  readonly event: QueuedEvent;
  readonly reason: string;
  /** Whether an attempt has failed just now; else newer events took the room. */
  readonly wasTried: boolean;
}

/** What is told of an event. `retried`: an attempt has failed, and another follows. */
export type DeliveryNote =
  | { readonly kind: 'delivered'; readonly event: QueuedEvent }
  | { readonly kind: 'retried'; readonly event: QueuedEvent; readonly reason: string }
  | LostNote;
