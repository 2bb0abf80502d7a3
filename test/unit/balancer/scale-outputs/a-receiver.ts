// A receiver of deliveries that answers what the test says, and a delivery on a clock that the test moves.
import { Delivery } from '../../../../src/balancer/scale-outputs/delivery.ts';
import type { DeliveryNote, SendOutcome } from '../../../../src/balancer/scale-outputs/delivery-ports.ts';
import type { QueuedEvent } from '../../../../src/balancer/scale-outputs/delivery-queue.ts';
import { pcg32 } from '../../../../src/core/rng.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

export interface Sent {
  readonly id: string;
  readonly pool: string;
  readonly attempt: number;
  readonly atMs: number;
  answer(outcome: SendOutcome): void;
}

export function anEvent(id: string, parts: Partial<QueuedEvent> = {}): QueuedEvent {
  const body = JSON.stringify({ id });
  const at = '2026-01-01T00:00:00.000Z';
  return {
    id,
    type: 'scale.acted',
    pool: 'chat',
    at,
    body,
    queuedAtMs: 0,
    attempts: 0,
    reason: '',
    ...parts,
  };
}

export const delivered: SendOutcome = { kind: 'delivered' };
export const failed: SendOutcome = { kind: 'failed', reason: 'answered 500' };

/** Lets everything that waits for promises go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** A delivery whose attempts wait in `sent` until they are answered, or are answered by `answer` at once. */
export function aDelivery(
  parts: {
    answer?: (sent: Sent) => SendOutcome | undefined;
    rule?: { attempts: number; maxAgeMs: number };
    bounds?: { maxEvents: number; maxBytes: number };
    clock?: ManualClock;
    seed?: number;
  } = {},
) {
  const clock = parts.clock ?? new ManualClock();
  const sent: Sent[] = [];
  const notes: DeliveryNote[] = [];
  const delivery = new Delivery({
    clock,
    rng: pcg32(parts.seed ?? 1),
    rule: parts.rule ?? { attempts: 100, maxAgeMs: 3_600_000 },
    bounds: parts.bounds ?? { maxEvents: 1000, maxBytes: 1_000_000 },
    note: (note) => void notes.push(note),
    send: ({ id, pool, attempts }, signal) =>
      new Promise((resolve) => {
        const each: Sent = { id, pool, attempt: attempts, atMs: clock.nowMs(), answer: resolve };
        sent.push(each);
        signal.addEventListener('abort', () => resolve({ kind: 'failed', reason: 'aborted' }));
        const now = parts.answer?.(each);
        if (now !== undefined) resolve(now);
      }),
  });
  return {
    clock,
    delivery,
    sent,
    notes,
    /** Moves the clock in steps, letting answers be taken between them. */
    async advance(byMs: number, stepMs = byMs) {
      for (let passed = 0; passed < byMs; passed += stepMs) {
        clock.advance(Math.min(stepMs, byMs - passed));
        await settle();
      }
    },
  };
}
