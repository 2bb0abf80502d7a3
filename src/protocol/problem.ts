// What is told of an error over HTTP, as a value: RFC 9457, with a stable code beside the words. The bytes of whole
// answers are in http-error.ts.
import { errorCatalogue, type ErrorCode } from '../core/error.ts';

/** Media type of a problem. */
export const problemType = 'application/problem+json';

/** One refusal: a HeraldError, or the same as a plain value. */
export interface Problem {
  readonly code: ErrorCode;
  /** For people: what failed, on what. */
  readonly message: string;
  /** What the error knows beside (`node`, `pool`, `problems`…); absent: nothing. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** When to come back, in milliseconds; absent: no hint. Told in a field of the head, not in the body. */
  readonly retryAfterMs?: number;
}

/** One error as JSON. Its details stand in members of their own. */
export interface ProblemBody {
  readonly [detail: string]: unknown;
  /** Page and section of the documentation: a relative reference. */
  readonly type: string;
  /** What this kind of error means; the same for every error of the code. */
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  /** What happened this time, for people. */
  readonly detail: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** The body for an error. Details never replace the members that RFC 9457 and Herald define. */
export function problemOf({ code, message, details }: Problem): ProblemBody {
  const { status, meaning, remedy } = errorCatalogue[code];
  return {
    ...details,
    type: `docs/reference/errors.md#${code.toLowerCase()}`,
    title: meaning,
    status,
    code,
    detail: message,
    remedy,
  };
}
