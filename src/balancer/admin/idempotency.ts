// Answers that are given again to a repeated request, so that a client that lost one may ask without doing it twice.
import { createHash } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import type { Answer } from './answer.ts';

const keptMs = 10 * 60_000;
// A key, the digest of a body and an answer: some kilobytes each.
const maxKept = 1000;
const keyPattern = /^[\x21-\x7e]{1,64}$/;

/** One request with a key. */
export interface KeyedRequest {
  /** What the client sent as Idempotency-Key. */
  readonly key: string;
  /** Caller, method and path: the same key of another is another key. */
  readonly scope: string;
  /** The body in one form, however it was written. */
  readonly body: string;
}

/** Answers a request, or gives the answer that an earlier one with its key got. */
export type AnswerOnce = (request: KeyedRequest, answer: () => Promise<Answer>) => Promise<Answer>;

interface Kept {
  readonly body: string;
  readonly answer: Promise<Answer>;
  readonly atMs: number;
}

/**
 * Keeps the answers of the last ten minutes, at most 1,000 of them: then the oldest go. A refusal changed nothing and
 * is not kept: the same request may be tried again. Throws HERALD_IDEMPOTENCY_MISMATCH for another body, and
 * HERALD_QUERY_INVALID for what is no key.
 */
export function createIdempotency(clock: Clock, limit = maxKept): AnswerOnce {
  const kept = new Map<string, Kept>();
  const forgetOld = () => {
    const dueMs = clock.nowMs() - keptMs;
    // In order of insertion, so the first that is young enough ends it.
    for (const [id, { atMs }] of kept) {
      if (atMs > dueMs && kept.size < limit) return;
      kept.delete(id);
    }
  };
  return async ({ key, scope, body: text }, answer) => {
    const body = createHash('sha256').update(text).digest('base64');
    if (!keyPattern.test(key))
      throw new HeraldError('HERALD_QUERY_INVALID', 'Idempotency-Key takes 1 to 64 visible ASCII characters');
    const id = `${scope}\n${key}`;
    const earlier = kept.get(id);
    if (earlier !== undefined && earlier.atMs > clock.nowMs() - keptMs) return again(earlier, body, key);
    forgetOld();
    const given = answer();
    kept.delete(id);
    kept.set(id, { body, answer: given, atMs: clock.nowMs() });
    try {
      return await given;
    } catch (error) {
      if (kept.get(id)?.answer === given) kept.delete(id);
      throw error;
    }
  };
}

async function again(earlier: Kept, body: string, key: string): Promise<Answer> {
  if (earlier.body !== body)
    throw new HeraldError(
      'HERALD_IDEMPOTENCY_MISMATCH',
      `Idempotency-Key '${key}' was used with another body before`,
    );
  const answer = await earlier.answer;
  return { ...answer, headers: { ...answer.headers, 'Idempotency-Replayed': 'true' } };
}
