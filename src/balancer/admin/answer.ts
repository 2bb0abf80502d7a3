// What a handler answers, as a value: it can be given twice and told in an audit event before it is sent.

/** An answer that is JSON, or nothing. */
export interface Answer {
  readonly status: 200 | 202 | 204;
  /** Undefined with 204 only. */
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is sent in place of all this: a stream that has begun. */
  readonly stream?: Response;
  /** True when nothing was changed although the route changes things: a dry run. */
  readonly isDryRun?: boolean;
}

/** 200 with this JSON. */
export function ok(json: unknown): Answer {
  return { status: 200, json };
}
