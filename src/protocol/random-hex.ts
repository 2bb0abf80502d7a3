// Ids by chance, as hexadecimal digits. Good against mixing up, not against guessing.
import type { Rng } from '../core/rng.ts';

/** So many hexadecimal digits, a multiple of 8 of them; never all 0. */
export function randomHex(rng: Rng, digits: number): string {
  let text = '';
  // 2^32 values a draw: V8's generator has 52 bits of each, so none is left out.
  while (text.length < digits)
    text += Math.floor(rng.next() * 0x100000000)
      .toString(16)
      .padStart(8, '0');
  return /^0+$/.test(text) ? `${text.slice(1)}1` : text;
}
