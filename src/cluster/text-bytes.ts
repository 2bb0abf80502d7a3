// Sizes and order of texts as they are on the wire: in UTF-8.
import { Buffer } from 'node:buffer';
import { maxTextBytes } from './limits.ts';

/** Bytes of a text in UTF-8. */
export function textBytes(text: string): number {
  return Buffer.byteLength(text);
}

/** Below 0, 0 or above 0: the order of the UTF-8 bytes, which is what scripts/restore.lua compares by, too. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Bytes of a command as it is sent (RESP: an array of bulk strings). */
export function commandBytes(parts: readonly string[]): number {
  const head = 3 + String(parts.length).length;
  return parts.reduce((sum, part) => {
    const bytes = textBytes(part);
    return sum + 5 + String(bytes).length + bytes;
  }, head);
}

/** Why a text cannot be shared; undefined when it can. */
export function complaintAboutSize(text: string): string | undefined {
  const bytes = textBytes(text);
  return bytes <= maxTextBytes
    ? undefined
    : `it has ${bytes} bytes, and ${maxTextBytes} are the most that is shared`;
}
