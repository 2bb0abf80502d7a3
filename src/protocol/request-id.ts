// Ids of requests: what is taken for one, and how one is made.
import type { Rng } from '../core/rng.ts';
import { hexOf, randomHex } from './random-hex.ts';

/** Whether `value` may go on as the id of a request: 1 to 128 characters that no log and no header has to quote. */
export function isRequestId(value: string): boolean {
  return /^[A-Za-z0-9._:+/=@-]{1,128}$/.test(value);
}

/** A UUID of version 7 (RFC 9562): the time first, so that ids sort by it. `wallMs` is of the Unix epoch. */
export function newRequestId(rng: Rng, wallMs: number): string {
  const wholeMs = Math.floor(wallMs);
  const time = hexOf(Math.floor(wholeMs / 0x100000000)).slice(4) + hexOf(wholeMs % 0x100000000);
  const chance = randomHex(rng, 24);
  // The upper two bits of the variant are 10: 8, 9, a or b.
  const variant = ((Number.parseInt(chance[3] ?? '0', 16) & 3) | 8).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${chance.slice(0, 3)}-${variant}${chance.slice(4, 7)}-${chance.slice(7, 19)}`;
}
