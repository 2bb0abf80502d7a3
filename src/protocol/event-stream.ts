// Counts the events of a text/event-stream body as it passes. It looks at line ends only and keeps no text.

const cr = 0x0d;
const lf = 0x0a;

/**
 * Counts blank-line-terminated blocks across any cuts of the stream. Lines end by LF, CR or CRLF (WHATWG HTML,
 * 9.2.5). A block of comments alone counts, too: it is a message on the wire. Blank lines in a row count once.
 */
export class EventCounter {
  #lineIsEmpty = true;
  #blockIsEmpty = true;
  #afterCr = false;

  /** Events that ended within this chunk, 0 or more. */
  count(chunk: Uint8Array): number {
    let events = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      const secondHalf = byte === lf && this.#afterCr;
      this.#afterCr = byte === cr;
      if (secondHalf) continue;
      if (byte === cr || byte === lf) events += this.#endLine();
      else this.#lineIsEmpty = false;
    }
    return events;
  }

  #endLine(): number {
    if (!this.#lineIsEmpty) {
      this.#lineIsEmpty = true;
      this.#blockIsEmpty = false;
      return 0;
    }
    if (this.#blockIsEmpty) return 0;
    this.#blockIsEmpty = true;
    return 1;
  }
}
