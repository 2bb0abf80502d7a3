// Reads text/event-stream as an EventSource does (WHATWG HTML, 9.2.6). The connection under it is somebody else's.

/** One event of a stream. */
export interface StreamEvent {
  /** `message` where the stream names none. */
  readonly type: string;
  readonly data: string;
}

/** Takes chunks in any cuts and gives the events that they complete. */
export class EventStreamReader {
  readonly #decoder = new TextDecoder();
  #rest = '';
  #type = '';
  #data: string[] = [];
  #lastEventId = '';
  #retryMs: number | undefined;

  /** For Last-Event-ID: where to go on; '' when the stream has not said. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  /** How long to wait before the next attempt; undefined when the stream has not said. */
  get retryMs(): number | undefined {
    return this.#retryMs;
  }

  /** Events that end within this chunk, none or more. */
  read(chunk: Uint8Array): StreamEvent[] {
    const text = this.#rest + this.#decoder.decode(chunk, { stream: true });
    // A CR at the end may be the first half of a CRLF: it waits for what follows.
    const lines = text.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.#readLine(line));
  }

  #readLine(line: string): StreamEvent[] {
    if (line === '') return this.#endBlock();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#type = value;
    if (field === 'data') this.#data.push(value);
    if (field === 'id' && !value.includes('\0')) this.#lastEventId = value;
    if (field === 'retry' && /^\d{1,9}$/.test(value)) this.#retryMs = Number(value);
    return [];
  }

  #endBlock(): StreamEvent[] {
    const event = { type: this.#type === '' ? 'message' : this.#type, data: this.#data.join('\n') };
    const isEmpty = this.#data.length === 0;
    this.#type = '';
    this.#data = [];
    return isEmpty ? [] : [event];
  }
}
