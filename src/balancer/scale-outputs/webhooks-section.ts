// The section `webhooks` of the saved state: events that wait and dead letters, so that a restart loses none.
import { isRecord } from '../../protocol/field-checks.ts';
import type { StateSection } from '../state/ports.ts';
import type { DeadEvent } from './delivery-dead.ts';
import type { QueuedEvent } from './delivery-queue.ts';

/** What one webhook saves; ages in place of instants of a clock that does not outlive the process. */
export interface SavedWebhook {
  readonly waiting: readonly SavedEvent[];
  readonly dead: readonly (SavedEvent & { readonly diedAt: string; readonly reason: string })[];
}

type SavedEvent = Pick<QueuedEvent, 'id' | 'type' | 'pool' | 'at' | 'body' | 'attempts'> & {
  readonly ageMs: number;
};

/** What the section asks of the webhooks. */
export interface Keepers {
  revision(): number;
  /** By name. */
  save(): Readonly<Record<string, SavedWebhook>>;
  /** What waited under this name; false where there is no such webhook any more. */
  restore(name: string, events: { waiting: QueuedEvent[]; dead: DeadEvent[] }): boolean;
  nowMs(): number;
}

/** An event as it is saved. */
export function savedEvent(event: QueuedEvent, nowMs: number): SavedEvent {
  const { id, type, pool, at, body, attempts, queuedAtMs } = event;
  return { id, type, pool, at, body, attempts, ageMs: Math.round(nowMs - queuedAtMs) };
}

/** The section. */
export function createWebhooksSection(keepers: Keepers): StateSection {
  return {
    name: 'webhooks',
    revision: () => keepers.revision(),
    save: () => keepers.save(),
    restore(saved, ageMs) {
      if (!isRecord(saved)) return undefined;
      const nowMs = keepers.nowMs() - ageMs;
      let count = 0;
      for (const [name, value] of Object.entries(saved)) {
        if (!isRecord(value)) continue;
        const waiting = listOf(value['waiting']).flatMap((each) => readEvent(each, nowMs) ?? []);
        const dead = listOf(value['dead']).flatMap((each) => readDead(each, nowMs) ?? []);
        if (keepers.restore(name, { waiting, dead })) count += waiting.length + dead.length;
      }
      return count;
    },
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function readEvent(saved: unknown, nowMs: number): QueuedEvent | undefined {
  if (!isRecord(saved)) return undefined;
  const { id, type, pool, at, body, attempts, ageMs } = saved;
  if (typeof id !== 'string' || typeof type !== 'string' || typeof pool !== 'string') return undefined;
  if (typeof at !== 'string' || typeof body !== 'string' || !isCount(attempts)) return undefined;
  // The headers say them, too: what is saved here could not have another form.
  if (!/^[\w.-]{1,64}$/.test(id) || !/^[A-Za-z.]{1,80}$/.test(type) || !isJson(body)) return undefined;
  const age = typeof ageMs === 'number' && ageMs >= 0 ? ageMs : 0;
  return { id, type, pool, at, body, attempts, queuedAtMs: nowMs - age, reason: '' };
}

function readDead(saved: unknown, nowMs: number): DeadEvent | undefined {
  const event = readEvent(saved, nowMs);
  if (event === undefined || !isRecord(saved)) return undefined;
  const { diedAt, reason } = saved;
  return typeof diedAt === 'string' && typeof reason === 'string' ? { event, diedAt, reason } : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function isJson(text: string): boolean {
  try {
    return isRecord(JSON.parse(text));
  } catch {
    return false;
  }
}
