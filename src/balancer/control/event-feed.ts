// The events of this process: the newest are kept, each is told to whoever listens. Who may hear what is the edge's.
import type { Clock } from '../../core/clock.ts';
import { isoTime } from '../../protocol/iso-time.ts';
import type { EventRecord } from '../../protocol/operations.ts';
import type { EventFeed } from './ports.ts';

// About an hour of a fleet in trouble, or weeks of a calm one, in some 5 MB.
const defaultKept = 10_000;

/** A feed that keeps the last `kept` events (10,000 unless told, at least 1). The first event has the id 1. */
export function createEventFeed(clock: Clock, kept = defaultKept): EventFeed {
  const ring: EventRecord[] = [];
  const listeners = new Set<(event: EventRecord) => void>();
  let lastId = 0;
  return {
    tell(told) {
      lastId += 1;
      const event: EventRecord = Object.freeze({ id: lastId, at: isoTime(clock.wallMs()), ...told });
      ring[(lastId - 1) % kept] = event;
      // A copy: who hears may end its own listening, and another's.
      const hearing = Array.from(listeners);
      for (const hear of hearing) if (listeners.has(hear)) hear(event);
    },
    since: (id) => since(ring, { id, lastId, kept }),
    listen(hear) {
      // The same function may listen twice: each listening has its own end.
      const own = (event: EventRecord) => hear(event);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
  };
}

/** An id that this process has not given yet is another process's: everything kept is told, and that it is not whole. */
function since(
  ring: readonly EventRecord[],
  { id, lastId, kept }: { id: number; lastId: number; kept: number },
): ReturnType<EventFeed['since']> {
  const isKnown = Number.isInteger(id) && id >= 0 && id <= lastId;
  const oldest = Math.max(1, lastId - kept + 1);
  const from = isKnown ? Math.max(id + 1, oldest) : oldest;
  const events: EventRecord[] = [];
  for (let next = from; next <= lastId; next++) {
    const event = ring[(next - 1) % kept];
    if (event !== undefined) events.push(event);
  }
  return { events, isWhole: isKnown && id + 1 >= oldest };
}
