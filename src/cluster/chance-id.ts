// Names by chance: for a peer that the operator has not named, and for each life of a process.
import type { Rng } from '../core/rng.ts';

const letters = '0123456789abcdefghjkmnpqrstvwxyz';

/** A name of 12 letters of 5 bits each: among 1,000 of them two are alike once in 2 × 10¹² times. */
export function chanceId(rng: Rng): string {
  return Array.from({ length: 12 }, () => letters.charAt(Math.floor(rng.next() * letters.length))).join('');
}
