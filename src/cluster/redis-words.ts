// Words over pub/sub: gathered for a tenth of a second, one message in flight at a time, and our own message that
// comes back shows that the way out and the way in are both whole.
import type { Clock } from '../core/clock.ts';
import { decodeEnvelope, encodeEnvelope, type Envelope } from './envelope.ts';
import type { Keys } from './keys.ts';
import type { Limits } from './limits.ts';
import { Outbox } from './outbox.ts';
import type { RedisSession } from './redis-session.ts';

/** Who speaks. */
export interface Speaker {
  readonly id: string;
  readonly epoch: string;
}

// More than a beat and the longest answer (1 s + 2 s of 5 s), less than what makes a peer silent.
const deafPart = 0.8;

/** What words stand on. */
export interface WordsParts {
  readonly self: Speaker;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly limits: Limits;
}

// A description that was lost on the way is told again within this many beats, if nobody saw that a message is missing.
const aboutEveryBeats = 10;

/** The words of a store. */
export class RedisWords {
  readonly #self: Speaker;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #outbox: Outbox;
  #about = '';
  /** Beats until the description is due again. */
  #aboutInBeats = 0;
  #seq = 0;
  #isInFlight = false;
  #isBeatDue = false;
  #sentAtMs = 0;
  /** When our own message was last heard, or began to be waited for. */
  #echoAtMs = 0;
  #lagMs: number | undefined;
  readonly #lastSeq = new Map<string, number>();
  #hasMissed = false;

  constructor({ self, keys, clock, limits }: WordsParts) {
    this.#self = self;
    this.#keys = keys;
    this.#clock = clock;
    this.#limits = limits;
    this.#outbox = new Outbox(limits.maxWaitingBytes);
  }

  get lagMs(): number | undefined {
    return this.#lagMs;
  }

  get droppedTotal(): number {
    return this.#outbox.droppedTotal;
  }

  add(channel: string, text: string, isLinked: boolean): void {
    if (isLinked) this.#outbox.add(channel, text);
    else this.#outbox.drop(1);
  }

  describe(about: string): void {
    this.#about = about;
    this.#aboutInBeats = 0;
  }

  /** A connection is ready: who we are is said first, and our echo is waited for from now on. */
  begin(): void {
    this.#aboutInBeats = 0;
    this.#isBeatDue = true;
    this.#echoAtMs = this.#clock.nowMs();
    this.#lastSeq.clear();
  }

  /** The connection is gone, and with it what waited: words are about now. */
  drop(): void {
    this.#outbox.clear();
  }

  /** One message is due even when there is nothing to say: it is how peers hear that we are here. */
  beat(): void {
    this.#isBeatDue = true;
    this.#aboutInBeats = Math.max(0, this.#aboutInBeats - 1);
  }

  /** Our own messages do not come back although they were sent: the way in is broken. Seen before peers seem silent. */
  get isDeaf(): boolean {
    return this.#clock.nowMs() - this.#echoAtMs > this.#limits.presenceMs * deafPart;
  }

  /** Sends what waits, one message at a time: a slow Redis makes fewer and larger ones. */
  async flush(session: RedisSession): Promise<void> {
    if (this.#isInFlight || (this.#outbox.isEmpty && !this.#isBeatDue)) return;
    this.#isInFlight = true;
    this.#isBeatDue = false;
    const words = this.#outbox.take(this.#limits.maxMessageBytes);
    const message = this.#message(words, false);
    this.#sentAtMs = this.#clock.nowMs();
    const answer = await session.ask('PUBLISH', this.#keys.words, message);
    if ('fault' in answer) this.#outbox.drop(words.length);
    this.#isInFlight = false;
  }

  /** The last message. */
  farewell(): string {
    return this.#message([], true);
  }

  /** What a message says; undefined for our own, for one that is late, and for what is no message. */
  hear(message: string): Envelope | undefined {
    const envelope = decodeEnvelope(message);
    if (envelope === undefined) return undefined;
    const { from, epoch, seq } = envelope;
    if (from === this.#self.id && epoch === this.#self.epoch) {
      this.#hearEcho(seq);
      return undefined;
    }
    // In a Cluster messages go by several servers and can overtake each other; those that were overtaken are lost.
    const speaker = `${epoch} ${from}`;
    const last = this.#lastSeq.get(speaker) ?? seq - 1;
    if (seq <= last) return undefined;
    this.#hasMissed ||= seq > last + 1;
    this.#lastSeq.set(speaker, seq);
    return envelope;
  }

  /** True once after a message of a peer was missed: what it said of itself may have been in it. */
  takeMissed(): boolean {
    const hasMissed = this.#hasMissed;
    this.#hasMissed = false;
    return hasMissed;
  }

  /** Forgets how far a peer had come. */
  forget({ id, epoch }: Speaker): void {
    this.#lastSeq.delete(`${epoch} ${id}`);
  }

  #hearEcho(seq: number): void {
    this.#echoAtMs = this.#clock.nowMs();
    if (seq === this.#seq) this.#lagMs = this.#echoAtMs - this.#sentAtMs;
  }

  #message(words: Envelope['words'], isFarewell: boolean): string {
    const { id: from, epoch } = this.#self;
    const isAboutDue = this.#aboutInBeats === 0;
    if (isAboutDue) this.#aboutInBeats = aboutEveryBeats;
    this.#seq += 1;
    const about = isAboutDue ? this.#about : undefined;
    return encodeEnvelope({ from, epoch, seq: this.#seq, about, isFarewell, words });
  }
}
