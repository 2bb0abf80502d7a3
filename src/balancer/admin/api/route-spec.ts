// What a route of the API is, as a value: the dispatcher, openapi.json and the tests read the same one.
import type { z } from 'zod';
import type { ErrorCode } from '../../../core/error.ts';

/** What a caller must be to ask: anybody, or a token that may see or change. The UNIX socket may everything. */
export type RouteRole = 'open' | 'read' | 'operate';

/** What a route answers when it goes well. */
export interface AnswerSpec {
  readonly status: 200 | 202 | 204;
  readonly description: string;
  /** Undefined: no body, or none that a schema describes. */
  readonly schema?: z.ZodType;
  /** Left out: application/json. */
  readonly mediaType?: string;
}

/** One method of one path. */
export interface RouteSpec {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/v1/pools/{pool}`; `{pool}` is a name of a pool, `{id}` of a node or operation, `{name}` of a policy or webhook. */
  readonly path: string;
  readonly summary: string;
  /** Sentences for the document beside the summary, in Markdown; left out: there are none. */
  readonly description?: string;
  readonly role: RouteRole;
  /** Keys of the query; texts in, values out. Left out: none is taken. */
  readonly query?: z.ZodObject;
  /** Left out: no body is read. */
  readonly body?: z.ZodType;
  readonly answers: readonly AnswerSpec[];
  /** Codes beside those that every route can answer. */
  readonly problems?: readonly ErrorCode[];
  /** Request headers that mean something here. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Where it is served: with the admin routes unless told. */
  readonly listener?: 'intake';
}
