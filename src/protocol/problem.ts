// The body of an error answer of intake and admin: RFC 9457, with a stable code beside the words.
import { errorCatalogue, type ErrorCode, type HeraldError } from '../core/error.ts';

/** Media type of a problem. */
export const problemType = 'application/problem+json';

/** One error as JSON. What the error knows beside (`node`, `pool`, `problems`…) stands in members of its own. */
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
export function problemOf(error: HeraldError): ProblemBody {
  const { status, meaning, remedy } = errorCatalogue[error.code];
  return {
    ...error.details,
    type: `docs/reference/errors.md#${error.code.toLowerCase()}`,
    title: meaning,
    status,
    code: error.code,
    detail: error.message,
    remedy,
  };
}
