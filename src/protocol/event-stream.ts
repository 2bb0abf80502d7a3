// Counts the events of a text/event-stream body as it passes. It looks at line ends only and keeps no text.

const cr = 0x0d;
const lf = 0x0a;
const colon = 0x3a;

/**
 * Counts blank-line-terminated blocks across any cuts of the stream. Lines end by LF, CR or CRLF (WHATWG HTML,
 * 9.2.5). A block of comments alone counts, too: it is a message on the wire. Blank lines in a row count once.
 */
export class EventCounter {
  #lineIsEmpty = true;
  #blockIsEmpty = true;
  #afterCr = false;
  #lineIsComment = false;
  #blockHasField = false;

  /** No event is under way: a block of our own, or the end of the stream, takes nothing from one. */
  get atEventBoundary(): boolean {
    return this.#lineIsEmpty && !this.#blockHasField;
  }

  /**
   * Index behind the first blank line of `chunk` that ends an event, or behind a comment line between events; -1 when
   * there is none. Moves over the bytes up to it, or over all of them.
   */
  toEventBoundary(chunk: Uint8Array): number {
    for (let at = 1; at <= chunk.length; at++) {
      this.count(chunk.subarray(at - 1, at));
      if (!this.atEventBoundary) continue;
      // The second half of a CRLF belongs to it.
      return this.#afterCr && chunk[at] === lf ? at + 1 : at;
    }
    return -1;
  }

  /** Events that ended within this chunk, 0 or more. */
  count(chunk: Uint8Array): number {
    let events = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      const secondHalf = byte === lf && this.#afterCr;
      this.#afterCr = byte === cr;
      if (secondHalf) continue;
      if (byte === cr || byte === lf) events += this.#endLine();
      else if (this.#lineIsEmpty) {
        this.#lineIsEmpty = false;
        this.#lineIsComment = byte === colon;
      }
    }
    return events;
  }

  #endLine(): number {
    if (!this.#lineIsEmpty) {
      this.#lineIsEmpty = true;
      this.#blockIsEmpty = false;
      if (!this.#lineIsComment) this.#blockHasField = true;
      return 0;
    }
    this.#blockHasField = false;
    if (this.#blockIsEmpty) return 0;
    this.#blockIsEmpty = true;
    return 1;
  }
}

/** What asks an EventSource to come back after so many milliseconds; to be written at an event boundary. */
export function retryField(retryAfterMs: number): string {
  return `retry: ${Math.round(retryAfterMs)}\n\n`;
}
