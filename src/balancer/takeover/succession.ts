// The new process's half of a takeover: it asks for the state, says when it serves, and hears when the old one has let
// go. A process that was started by nobody has none of this.
import type { Clock } from '../../core/clock.ts';
import type { PeerPlace } from '../state/shared-store.ts';
import {
  readMessage,
  type NodeWish,
  type PeerHeritage,
  type ToPredecessor,
  type ToSuccessor,
} from './messages.ts';

/** The way to the process that started this one. */
export interface PredecessorChannel {
  /** Does nothing when it is gone. */
  send(message: ToPredecessor): void;
  /** Messages from now on. */
  onMessage(hear: (message: unknown) => void): void;
  /** It has ended, in whatever way; at once where it has already. */
  onGone(hear: () => void): void;
  /** Lets go of the channel, which keeps the other one informed that this one lives. */
  close(): void;
}

// Letting go takes milliseconds; one that never says so hangs, and somebody has to save the state.
const releaseWithinMs = 10_000;

/** Beginning to serve in place of another process. */
export class Succession {
  /** The process that serves first has 1. */
  readonly generation: number;
  readonly #channel: PredecessorChannel;
  readonly #clock: Clock;
  readonly #released: Promise<void>;
  #isReleased = false;
  #hearState: ((text: string | undefined) => void) | undefined;
  #hearReleased: (() => void) | undefined;
  #hearCounts: ((counts: ToSuccessor & { type: 'counts' }) => void) | undefined;
  #hearGone: (() => void) | undefined;
  #isGone = false;
  #peer: PeerHeritage | undefined;

  constructor(generation: number, { channel, clock }: { channel: PredecessorChannel; clock: Clock }) {
    this.generation = generation;
    this.#channel = channel;
    this.#clock = clock;
    this.#released = new Promise((resolve) => (this.#hearReleased = resolve));
    channel.onMessage((message) => this.#heard(message));
    channel.onGone(() => this.#gone());
  }

  /** The old process accepts and saves nothing more, or is gone. */
  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** The old process has ended. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Who the old process is to other balancers; undefined before its state is here, and where it shares nothing. */
  get peer(): PeerHeritage | undefined {
    return this.#peer;
  }

  /** The old process's state; undefined when it has died meanwhile: then its file is all there is. */
  async state(): Promise<string | undefined> {
    if (this.#isGone) return undefined;
    const text = new Promise<string | undefined>((resolve) => (this.#hearState = resolve));
    this.#channel.send({ type: 'prepared' });
    return text;
  }

  /** Says that every listener accepts; resolves when the old process has let go. */
  async serving(taken: Iterable<string>, peer?: PeerPlace): Promise<void> {
    this.#channel.send({ type: 'serving', taken: [...taken], peer });
    const timer = this.#clock.schedule(releaseWithinMs, () => this.#release());
    await this.#released;
    timer.cancel();
  }

  /** Says that the old process may end whenever it has nothing left. */
  settled(): void {
    this.#channel.send({ type: 'settled' });
  }

  /** Says why this process cannot serve. */
  failed(reason: string): void {
    this.#channel.send({ type: 'failed', reason });
  }

  /** Tells older processes what an operator wants of a node. */
  wish(wish: NodeWish): void {
    this.#channel.send({ type: 'wish', wish });
  }

  /** Hears what older processes carry, and when the last of them has ended. */
  follow(counts: (message: ToSuccessor & { type: 'counts' }) => void, gone: () => void): void {
    this.#hearCounts = counts;
    this.#hearGone = gone;
    if (this.#isGone) gone();
  }

  /** Lets go of the channel. Idempotent. */
  stop(): void {
    this.#channel.close();
  }

  #heard(message: unknown): void {
    const state = readMessage<ToSuccessor & { type: 'state' }>(message, 'state');
    if (state !== undefined) {
      this.#peer = state.peer;
      this.#hearState?.(state.text);
    }
    if (readMessage(message, 'released') !== undefined) this.#release();
    const counts = readMessage<ToSuccessor & { type: 'counts' }>(message, 'counts');
    if (counts !== undefined) this.#hearCounts?.(counts);
  }

  #release(): void {
    this.#isReleased = true;
    this.#hearReleased?.();
  }

  #gone(): void {
    this.#isGone = true;
    this.#hearState?.(undefined);
    this.#release();
    this.#hearGone?.();
  }
}
