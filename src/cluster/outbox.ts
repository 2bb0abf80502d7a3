// Words that wait to be sent, bounded in bytes. When they go, and how, is not known here.
import type { Word } from './envelope.ts';
import { complaintAboutSize, textBytes } from './text-bytes.ts';

interface Waiting extends Word {
  readonly bytes: number;
}

// What a word costs beside its text: its channel and length in the head of the message.
const overheadBytes = 32;

/** First in, first out; what does not fit is dropped and counted, the newest first. */
export class Outbox {
  readonly #maxWaitingBytes: number;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #droppedTotal = 0;

  constructor(maxWaitingBytes: number) {
    this.#maxWaitingBytes = maxWaitingBytes;
  }

  get droppedTotal(): number {
    return this.#droppedTotal;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Adds a word, or counts it as dropped. */
  add(channel: string, text: string): void {
    const bytes = textBytes(text) + textBytes(channel) + overheadBytes;
    if (complaintAboutSize(text) !== undefined || this.#bytes + bytes > this.#maxWaitingBytes) {
      this.drop(1);
      return;
    }
    this.#waiting.push({ channel, text, bytes });
    this.#bytes += bytes;
  }

  /** Counts words that were taken but not sent, or never added. */
  drop(count: number): void {
    this.#droppedTotal += count;
  }

  /** Drops and counts everything. */
  clear(): void {
    this.drop(this.#waiting.length);
    this.#waiting = [];
    this.#bytes = 0;
  }

  /** Takes the oldest words, at most `maxBytes` of them, but at least one where there is any. */
  take(maxBytes: number): readonly Word[] {
    let count = 0;
    let taken = 0;
    for (const { bytes } of this.#waiting) {
      if (count > 0 && taken + bytes > maxBytes) break;
      count += 1;
      taken += bytes;
    }
    this.#bytes -= taken;
    return this.#waiting.splice(0, count);
  }
}
