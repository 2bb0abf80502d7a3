// A node's answer to a forwarded request: the fields that go on to the client, and what of it is counted.
import { EventCounter } from '../../protocol/event-stream.ts';
import { isToken, joinedValue, valuesOf, type HeadFields } from '../../protocol/http-head.ts';
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
  /** Without a length it goes on in chunks, which trailers can follow; absent: it does not. */
  readonly mayTrail?: boolean;
}

/** The answer's fields for the client. */
export function answerFields(
  { status, raw, setCookie, mayTrail = false }: RawAnswer,
  marks: Marks,
): string[] {
  const text = textFields(raw);
  const drops = (name: string) =>
    isAnswered(marks, name) || (name === 'content-length' && !hasContent(status));
  const fields = endToEndFields(text, drops);
  if (setCookie !== '') fields.push('Set-Cookie', setCookie);
  fields.push(...requestIdFields(marks));
  // node:http throws at a Trailer field where no trailers can follow.
  if (mayTrail && joinedValue(fields, 'content-length') === '') announceTrailers(fields, text, marks);
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

// What RFC 9110 (6.5.1) keeps out of trailers, by kind: framing and routing; how to read the content; who may see it;
// what the client is to do. Clients that mix trailers into the head would follow them.
const neverLate = new Set([
  'content-length',
  'host',
  'content-encoding',
  'content-range',
  'content-type',
  'set-cookie',
  'www-authenticate',
  'age',
  'cache-control',
  'date',
  'expires',
  'location',
  'retry-after',
  'vary',
]);

/** Those of `fields`, an answer's trailers, that go on. */
function endToEndTrailers(fields: HeadFields, marks: Marks): string[] {
  return endToEndFields(fields, (name) => neverLate.has(name) || isAnswered(marks, name));
}

/** Says in `fields` which trailers will follow, of those that `raw` announces: the ones that go on. */
function announceTrailers(fields: string[], raw: HeadFields, marks: Marks): void {
  const announced = joinedValue(raw, 'trailer');
  if (announced === '') return;
  const asFields = announced.split(',').flatMap((member) => {
    const name = member.trim();
    return isToken(name) ? [name, ''] : [];
  });
  const kept = endToEndTrailers(asFields, marks).filter((_, index) => index % 2 === 0);
  if (kept.length > 0) fields.push('Trailer', kept.join(', '));
}

/** The answer's trailers as pairs; empty when there are none. Those that end at this hop are left out. */
export function trailerFields(raw: RawFields, marks: Marks): [string, string][] {
  const fields = endToEndTrailers(textFields(raw), marks);
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
