// The reason that a goodbye carries in its Close frame: words for people, and when to come back for programs.
import { Buffer } from 'node:buffer';
import { cutUtf8, maxReasonBytes } from './websocket.ts';

/** What the words of a reason may take in UTF-8, so that the longest hint still fits behind them. */
export const maxReasonWordBytes = 100;

/**
 * `words`, a space, `retry-ms=` and a whole number of milliseconds: the form that a refusal by 1013 has, too. Words
 * give way where both do not fit into 123 bytes; without words the hint stands alone.
 */
export function goodbyeReason(words: string, retryAfterMs: number): string {
  const hint = `retry-ms=${Math.round(retryAfterMs)}`;
  const kept = cutUtf8(Buffer.from(words, 'utf8'), maxReasonBytes - hint.length - 1);
  return kept.length === 0 ? hint : `${kept.toString('utf8')} ${hint}`;
}

/** What keeps `words` from being the words of a reason; '' when nothing does. */
export function reasonWordsProblem(words: string): string {
  if (Buffer.byteLength(words, 'utf8') > maxReasonWordBytes) return 'is too long';
  return /[\u0000-\u001f\u007f]/.test(words) ? 'has a control character' : '';
}
