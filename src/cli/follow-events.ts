// The event stream of a balancer as one that does not end: it comes back by Last-Event-ID where it broke off.
import { HeraldError } from '../core/error.ts';
import type { EventRecord } from '../protocol/operations.ts';
import type { AdminClient } from './admin-client.ts';
import type { CliIo } from './io.ts';
import { pause } from './pause.ts';
import { EventStreamReader } from './read-event-stream.ts';

/** Which events, and who hears of them. */
export interface EventWish {
  /** `/v1/events` with its query. */
  readonly path: string;
  /** Go on from here; '' for new events only. */
  readonly since: string;
  /** Come back when the stream ends; otherwise what is kept is read, and that is all. */
  readonly follow: boolean;
  readonly hear: (event: EventRecord) => void;
  /** Something about the stream itself, for people. */
  readonly say: (text: string) => void;
}

// What is kept is written at once when the stream opens: silence as long as this means that all of it has come.
const quietMs = 500;
const longestRetryMs = 30_000;

/** Ends when interrupted, or, without `follow`, behind the last event that is kept. Throws as `AdminClient.stream`. */
export async function followEvents(client: AdminClient, wish: EventWish, io: CliIo): Promise<void> {
  const reader = new EventStreamReader();
  let isFirst = true;
  while (!io.signal.aborted) {
    try {
      const from = reader.lastEventId === '' ? wish.since : reader.lastEventId;
      if (await readOnce(client, { ...wish, from, isFirst, reader }, io)) return;
      wish.say(`${client.name} lets go of the stream; coming back`);
    } catch (error) {
      if (io.signal.aborted) return;
      if (isFirst || !wish.follow || !isPassing(error)) throw error;
    }
    isFirst = false;
    await pause(io, Math.min(longestRetryMs, reader.retryMs ?? 2000));
  }
}

interface Reading extends EventWish {
  readonly from: string;
  readonly isFirst: boolean;
  readonly reader: EventStreamReader;
}

/** Reads one stream to its end. True when all is read that was wished for. */
async function readOnce(client: AdminClient, wish: Reading, io: CliIo): Promise<boolean> {
  const quiet = new AbortController();
  const headers: Record<string, string> = wish.from === '' ? {} : { 'last-event-id': wish.from };
  const signal = AbortSignal.any([io.signal, quiet.signal]);
  const chunks = await client.stream(wish.path, { headers, signal });
  if (!wish.isFirst) wish.say(`${client.name} answers again`);
  const rest = () => io.clock.schedule(quietMs, () => quiet.abort());
  let timer = wish.follow ? undefined : rest();
  try {
    for await (const chunk of chunks) {
      timer?.cancel();
      for (const event of wish.reader.read(chunk)) tell(event, wish);
      timer = wish.follow ? undefined : rest();
    }
  } catch (cause) {
    if (quiet.signal.aborted) return true;
    if (io.signal.aborted || !wish.follow) throw cause;
  } finally {
    timer?.cancel();
  }
  return !wish.follow;
}

function tell({ type, data }: { type: string; data: string }, { hear, say }: EventWish): void {
  const value: unknown = JSON.parse(data);
  // Proof of the casts: the balancer of this package writes these (protocol/operations.ts).
  if (type === 'gap') say((value as { message: string }).message);
  else if (type === 'end') say(`the stream ends: ${(value as { reason: string }).reason}`);
  else hear(value as EventRecord);
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof HeraldError)) return false;
  return error.code === 'HERALD_UNREACHABLE' || error.code === 'HERALD_TOO_MANY_STREAMS';
}
