// What a data plane counts for one node: the one mutable leaf of a snapshot, so that a placement is seen at once.

import { TokenBucket } from './admission/token-bucket.ts';
import { noPeerCounts, type PeerCounts } from './peer-counts.ts';

const historyLength = 128;

/** What was counted at one instant of the past. */
export interface CountedAt {
  /** Messages carried both ways since the node was first seen: relayed here, and expected of peers. */
  readonly messages: number;
  /** Connections open or being dialled. */
  readonly connections: number;
  /** The instant that these are the counts of: the one asked for, but not before the notes begin. */
  readonly atMs: number;
}

/**
 * Counts of one node. Gauges go up and down, `…Total` only up. All are this balancer's own, but for `peers` and what
 * is said to be of all balancers.
 */
export class NodeCounters {
  /** Placements whose node has not answered yet. */
  dialling = 0;
  /** Connections carried now. */
  open = 0;
  /** Messages per second to be expected now from what is open and being dialled; see ConnectionTable. */
  messagesPerSecond = 0;
  /** Open or being dialled in processes that this one has replaced, 0 or more; with their end they vanish. */
  earlierOpen = 0;
  /** Messages per second to be expected of those. */
  earlierMessagesPerSecond = 0;
  /** What the other balancers have on this node; replaced whole. */
  peers: PeerCounts = noPeerCounts;
  /** What `place.connectRate` has left of it. */
  readonly connects = new TokenBucket();
  placedTotal = 0;
  openedTotal = 0;
  failedTotal = 0;
  messagesToNodeTotal = 0;
  messagesToClientTotal = 0;
  bytesToNodeTotal = 0;
  bytesToClientTotal = 0;

  readonly #atMs = new Float64Array(historyLength).fill(NaN);
  readonly #messages = new Float64Array(historyLength);
  readonly #connections = new Float64Array(historyLength);
  readonly #messagesPerSecond = new Float64Array(historyLength);
  #recorded = 0;
  /** What peers and earlier processes are taken to have carried up to the last note: their expected rate over time. */
  #elsewhereMessages = 0;

  /** Connections open or being dialled, those of earlier processes and of all balancers included: what the node has. */
  get connections(): number {
    return this.balancerConnections + this.peers.connections;
  }

  /** Connections open or being dialled in this balancer: in this process and in earlier ones. What peers are told. */
  get balancerConnections(): number {
    return this.ownConnections + this.earlierOpen;
  }

  /** Connections open or being dialled in this process. */
  get ownConnections(): number {
    return this.open + this.dialling;
  }

  /** Messages per second to be expected now of all balancers' connections, those of earlier processes included. */
  get expectedMessagesPerSecond(): number {
    return this.messagesPerSecond + this.#elsewherePerSecond();
  }

  /** Messages relayed both ways. */
  get messagesTotal(): number {
    return this.messagesToNodeTotal + this.messagesToClientTotal;
  }

  /** Notes the counts at `nowMs` for `at`. Called at even steps, about ten times a second. */
  record(nowMs: number): void {
    const slot = this.#recorded % historyLength;
    this.#elsewhereMessages = this.#elsewhereMessagesAt(nowMs);
    this.#atMs[slot] = nowMs;
    this.#messages[slot] = this.messagesTotal + this.#elsewhereMessages;
    this.#connections[slot] = this.connections;
    this.#messagesPerSecond[slot] = this.expectedMessagesPerSecond;
    this.#recorded += 1;
  }

  /**
   * The counts at a past instant, between two notes (the counts now are the newest): messages by straight
   * line, connections of the nearer one. The oldest note for anything older; the counts now when nothing was noted.
   */
  at(atMs: number, nowMs: number): CountedAt {
    const messages = this.messagesTotal + this.#elsewhereMessagesAt(nowMs);
    let later: CountedAt = { messages, connections: this.connections, atMs: nowMs };
    const oldest = Math.max(0, this.#recorded - historyLength);
    for (let index = this.#recorded - 1; index >= oldest; index -= 1) {
      const slot = index % historyLength;
      const noteAtMs = this.#atMs[slot] ?? NaN;
      const note = {
        messages: this.#messages[slot] ?? 0,
        connections: this.#connections[slot] ?? 0,
        atMs: noteAtMs,
      };
      if (noteAtMs <= atMs) return between(note, later, atMs);
      later = note;
    }
    // Nothing was carried before the first note of all, but unknown is what the ring has forgotten.
    return oldest === 0 ? { ...later, atMs } : later;
  }

  /** Mean of the expected `messagesPerSecond` over the notes of a past span; as it is now when none falls into it. */
  expectedOver({ startMs, endMs }: { startMs: number; endMs: number }): number {
    let sum = 0;
    let notes = 0;
    const oldest = Math.max(0, this.#recorded - historyLength);
    for (let index = this.#recorded - 1; index >= oldest; index -= 1) {
      const slot = index % historyLength;
      const noteAtMs = this.#atMs[slot] ?? NaN;
      if (noteAtMs <= startMs) break;
      if (noteAtMs > endMs) continue;
      sum += this.#messagesPerSecond[slot] ?? 0;
      notes += 1;
    }
    return notes === 0 ? this.expectedMessagesPerSecond : sum / notes;
  }

  /**
   * A peer that was there before was heard for the first time: the notes are made as if it had been counted all along,
   * else all that it carries would seem to have come since the last report.
   */
  recount(met: { connections: number; messagesPerSecond: number }, nowMs: number): void {
    const kept = Math.min(this.#recorded, historyLength);
    for (let slot = 0; slot < kept; slot += 1) {
      const sinceMs = (this.#atMs[slot] ?? nowMs) - nowMs;
      this.#connections[slot] = (this.#connections[slot] ?? 0) + met.connections;
      this.#messagesPerSecond[slot] = (this.#messagesPerSecond[slot] ?? 0) + met.messagesPerSecond;
      this.#messages[slot] = (this.#messages[slot] ?? 0) + (met.messagesPerSecond * sinceMs) / 1000;
    }
  }

  // A method: V8 calls its runtime for each read of a private getter.
  #elsewherePerSecond(): number {
    return this.earlierMessagesPerSecond + this.peers.messagesPerSecond;
  }

  #elsewhereMessagesAt(nowMs: number): number {
    if (this.#recorded === 0) return this.#elsewhereMessages;
    const notedAtMs = this.#atMs[(this.#recorded - 1) % historyLength] ?? nowMs;
    return this.#elsewhereMessages + (this.#elsewherePerSecond() * (nowMs - notedAtMs)) / 1000;
  }
}

function between(from: CountedAt, to: CountedAt, atMs: number): CountedAt {
  const part = (atMs - from.atMs) / (to.atMs - from.atMs);
  // Two notes at one instant leave nothing to interpolate.
  if (!(part > 0)) return from;
  const near = Math.min(part, 1);
  return {
    messages: from.messages + (to.messages - from.messages) * near,
    // A count is a step, not a slope, so the nearer note's: what was placed just before a sample must not be
    // missing in it, or it would count twice, once in the report and once as placed since.
    connections: near < 0.5 ? from.connections : to.connections,
    atMs,
  };
}
