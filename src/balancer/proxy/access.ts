// The story of one connection or exchange for the access log: written down while it happens, told once at its end.
// Where nothing is logged there is no story, and nothing here runs.
import type { Clock } from '../../core/clock.ts';
import type { ErrorCode } from '../../core/error.ts';
import type { Lease } from '../state/ports.ts';
import type { AccessEnd, AccessRecord } from './access-record.ts';
import type { Client } from './client.ts';
import type { RelayTotals } from './relay.ts';
import type { RequestHead } from './request-head.ts';
import { WatchedLease } from './watched-lease.ts';

/** What is known when a request has been read. */
export interface AccessStart {
  /** What stands for the client's connection: requests over the same one have the same. */
  readonly connection: object;
  readonly client: Pick<Client, 'address' | 'peerAddress'>;
  /** Undefined when none could be read, as the method. */
  readonly head: Pick<RequestHead, 'hostName' | 'target'> | undefined;
  readonly method: string | undefined;
  /** '' when no route matches, and when none was looked for. */
  readonly pool: string;
  /** '' when it has none. */
  readonly requestId: string;
}

/** Where stories go. */
export interface AccessTelling {
  readonly clock: Clock;
  readonly listener: string;
  /** The number of a connection. */
  readonly numberOf: (connection: object) => number;
  /** Takes the record of what has ended. `isBad`: it did not end as it should. */
  readonly told: (record: AccessRecord, isBad: boolean) => void;
}

const badEnds: ReadonlySet<AccessEnd> = new Set([
  'clientReset',
  'nodeReset',
  'halfClosed',
  'stalled',
  'cut',
  'refused',
  'stopped',
]);

type Asked = Pick<
  AccessRecord,
  'connection' | 'requestId' | 'listener' | 'client' | 'peer' | 'method' | 'host' | 'path' | 'pool'
>;

// Not the head itself: a connection lives for days, and its cookies are long.
function askedBy(
  { connection, client, head, method, pool, requestId }: AccessStart,
  { listener, numberOf }: AccessTelling,
): Asked {
  return {
    connection: numberOf(connection),
    requestId: requestId === '' ? undefined : requestId,
    listener,
    client: client.address,
    peer: client.address === client.peerAddress ? undefined : client.peerAddress,
    method,
    // A request that names none has been refused.
    host: head?.hostName === '' ? undefined : head?.hostName,
    path: head?.target,
    pool,
  };
}

/** One story. */
export class AccessStory {
  readonly #telling: AccessTelling;
  readonly #asked: Asked;
  readonly #startedMs: number;
  #placedMs: number | undefined;
  #dialledMs: number | undefined;
  #answeredMs: number | undefined;
  #lease: Lease | undefined;
  #watched: WatchedLease | undefined;
  #attempts = 0;
  #status: number | undefined;
  #code: ErrorCode | undefined;
  #isOver = false;

  constructor(telling: AccessTelling, start: AccessStart) {
    this.#telling = telling;
    this.#asked = askedBy(start, telling);
    this.#startedMs = telling.clock.nowMs();
  }

  /** A node is being tried. */
  placed(lease: Lease): void {
    this.#lease = lease;
    this.#attempts += 1;
    this.#placedMs = this.#telling.clock.nowMs();
    this.#dialledMs = undefined;
  }

  /** The same, for who counts by the lease alone: use what is given back in its place. */
  watched(lease: Lease): Lease {
    this.placed(lease);
    this.#watched = new WatchedLease(lease);
    return this.#watched;
  }

  /** The node has taken the connection. */
  dialled(): void {
    this.#dialledMs ??= this.#telling.clock.nowMs();
  }

  /** The head of an answer goes to the client. */
  answered(status: number): void {
    this.#status = status;
    this.#answeredMs = this.#telling.clock.nowMs();
  }

  /** Herald answers itself. */
  refused(code: ErrorCode, kind: AccessRecord['kind'], status?: number): void {
    this.#code = code;
    this.#status = status;
    this.ended('refused', kind);
  }

  /** It is over; only the first call counts. */
  ended(
    end: AccessEnd,
    kind: AccessRecord['kind'],
    totals: Omit<RelayTotals, 'durationMs'> = this.#totals(),
  ): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const isBad = badEnds.has(end) || this.#attempts > 1 || (this.#status ?? 0) >= 500;
    const { toNodeBytes, toNodeMessages, toClientBytes, toClientMessages } = totals;
    const record = {
      ...this.#asked,
      kind,
      node: this.#lease?.node.id,
      affinity: this.#lease?.affinity,
      attempts: this.#attempts,
      status: this.#status,
      end,
      code: this.#code,
      toNodeBytes,
      toNodeMessages,
      toClientBytes,
      toClientMessages,
      placeMs: span(this.#startedMs, this.#placedMs),
      dialMs: span(this.#placedMs, this.#dialledMs),
      answerMs: span(this.#dialledMs, this.#answeredMs),
      totalMs: span(this.#startedMs, this.#telling.clock.nowMs()) ?? 0,
    };
    this.#telling.told(record, isBad);
  }

  #totals(): Omit<RelayTotals, 'durationMs'> {
    return this.#watched ?? { toNodeBytes: 0, toNodeMessages: 0, toClientBytes: 0, toClientMessages: 0 };
  }
}

// A tenth of a millisecond is as fine as anybody reads.
function span(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : Math.round((to - from) * 10) / 10;
}
