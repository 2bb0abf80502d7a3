// Ids by chance, as hexadecimal digits. Good against mixing up, not against guessing.
import type { Rng } from '../core/rng.ts';

/** So many hexadecimal digits, a multiple of 8 of them; never all 0. */
export function randomHex(rng: Rng, digits: number): string {
  let text = '';
  // 2^32 values a draw: V8's generator has 52 bits of each, so none is left out.
  while (text.length < digits) text += hexOf(Math.floor(rng.next() * 0x100000000));
  return /^0+$/.test(text) ? `${text.slice(1)}1` : text;
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Eight digits for a whole number in [0, 2^32). (`toString(16)` of a number that large takes V8 a microsecond.) */
export function hexOf(value: number): string {
  let text = '';
  for (let shift = 24; shift >= 0; shift -= 8) text += hexOfByte[(value >>> shift) & 0xff] ?? '';
  return text;
}
