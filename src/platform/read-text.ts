// Reads text files that people write, with one clear sentence for whatever is in the way.
import { readFile, stat } from 'node:fs/promises';
import type { Complaint } from '../policy/quantity.ts';
import { maxFileBytes } from '../policy/yaml-hazards.ts';

/** The text of a file of at most 1 MiB in UTF-8, a byte order mark included; or why there is none. */
export async function readText(path: string): Promise<{ readonly text: string } | Complaint> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) return { message: 'is a directory, not a file', hint: 'name a file in it' };
    // A pipe or a device could block for ever or never end.
    if (!stats.isFile()) return { message: 'is not a regular file', hint: '' };
    if (stats.size > maxFileBytes)
      return { message: 'the file is larger than 1 MiB', hint: 'a policy needs a few KiB' };
    const bytes = await readFile(path);
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch (error) {
    return complaintOf(error);
  }
}

/** What a failed system call on a file means. */
export function complaintOf(error: unknown): Complaint {
  const code = codeOf(error);
  if (code === 'ENOENT') return { message: 'does not exist', hint: 'check the path' };
  if (code === 'EACCES' || code === 'EPERM')
    return { message: 'may not be read', hint: 'check its permissions' };
  if (code === 'ENOTDIR') return { message: 'a part of the path is not a directory', hint: 'check the path' };
  if (code === 'ELOOP') return { message: 'is a loop of symbolic links', hint: 'check the links' };
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
    return { message: 'is not UTF-8 text', hint: 'save it as UTF-8' };
  return { message: `cannot be read: ${code === '' ? String(error) : code}`, hint: '' };
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}
