// A node's answer to a forwarded request: the fields that go on to the client, and what of it is counted.
import { EventCounter } from '../../protocol/event-stream.ts';
import { joinedValue, valuesOf, type HeadFields } from '../../protocol/http-head.ts';
import { endToEndFields } from './hop-by-hop.ts';
import { isAnswered, requestIdFields, type Marks } from './marks.ts';

/** undici types raw fields as several things; from a dispatch they are Buffers, name and value in turn. */
export type RawFields = readonly (Buffer | string)[] | Record<string, unknown> | null | undefined;

/** An answer as it came. */
interface RawAnswer {
  readonly status: number;
  readonly raw: RawFields;
  /** The value of a Set-Cookie field to add; '' for none. */
  readonly setCookie: string;
}

/** The answer's fields for the client. */
export function answerFields({ status, raw, setCookie }: RawAnswer, marks: Marks): string[] {
  const drops = (name: string) =>
    isAnswered(marks, name) || (name === 'content-length' && !hasContent(status));
  const fields = endToEndFields(textFields(raw), drops);
  if (setCookie !== '') fields.push('Set-Cookie', setCookie);
  fields.push(...requestIdFields(marks));
  return fields;
}

/**
 * Whether the answer is framed in a way that can be passed on: undici takes only `chunked` apart, so a body in any
 * other coding would reach the client without the word that tells how to read it.
 */
export function isReadable(raw: RawFields): boolean {
  const codings = valuesOf(textFields(raw), 'transfer-encoding');
  return codings.length === 0 || (codings.length === 1 && codings[0]?.toLowerCase() === 'chunked');
}

// RFC 9110, section 8.6: these must not say a length, though some nodes do.
function hasContent(status: number): boolean {
  return status >= 200 && status !== 204;
}

/** The answer's trailers as pairs; empty when there are none. Those that end at this hop are left out. */
export function trailerFields(raw: RawFields): [string, string][] {
  const fields = endToEndFields(textFields(raw));
  const pairs: [string, string][] = [];
  for (let i = 0; i < fields.length; i += 2) pairs.push([fields[i] ?? '', fields[i + 1] ?? '']);
  return pairs;
}

function textFields(raw: RawFields): HeadFields {
  if (!Array.isArray(raw)) return [];
  return raw.map((part: Buffer | string) => (typeof part === 'string' ? part : part.toString('latin1')));
}

/** Counts messages towards the client: events of an event stream, otherwise one for the whole answer. */
export class AnswerCounter {
  readonly isEventStream: boolean;
  /** The body is compressed: where its events end cannot be told without undoing that. */
  readonly isEncoded: boolean;
  /** The head announces the body's length. */
  readonly hasLength: boolean;
  readonly #events: EventCounter | undefined;

  constructor(fields: HeadFields) {
    this.isEventStream = joinedValue(fields, 'content-type').toLowerCase().startsWith('text/event-stream');
    this.isEncoded = joinedValue(fields, 'content-encoding') !== '';
    this.hasLength = joinedValue(fields, 'content-length') !== '';
    this.#events = this.isEventStream && !this.isEncoded ? new EventCounter() : undefined;
  }

  get messagesAtStart(): number {
    return this.#events === undefined ? 1 : 0;
  }

  messagesIn(chunk: Buffer): number {
    return this.#events?.count(chunk) ?? 0;
  }

  /** No event is under way, as far as can be told: between two chunks of a compressed body always. */
  get atEventBoundary(): boolean {
    return this.#events?.atEventBoundary ?? true;
  }

  /** Where in `chunk` an event ends; see EventCounter. Never asked of a compressed body. */
  toEventBoundary(chunk: Buffer): number {
    return this.#events?.toEventBoundary(chunk) ?? chunk.length;
  }
}
