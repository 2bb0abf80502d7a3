// CRC-32C (Castagnoli, RFC 3720 appendix B.4), which the PROXY protocol checks its headers with.
import type { Buffer } from 'node:buffer';

const polynomial = 0x82f63b78;

/** The checksum, 0 to 2^32 - 1; 0 for no bytes. Bit by bit: headers are short and seldom carry one. */
export function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
