// Reads the small text files of the kernel. What cannot be read is undefined; nothing here throws.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Tells why a signal is missing; `undefined`: it is not. Called with every sample, told to people by others. */
export type NoteMissing = (signal: string, reason: string | undefined) => void;

/** The text of a file of /proc, /sys or a cgroup. Not for files that people write: it reads whatever there is. */
export function readKernelText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The names in a directory; empty when it cannot be read. */
export function readNames(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Where a symbolic link leads, or the system's code for why that cannot be told: `EACCES`, `ENOENT`. */
export function readLink(path: string): { readonly target: string } | { readonly code: string } {
  try {
    return { target: readlinkSync(path) };
  } catch (error) {
    return { code: codeOf(error) };
  }
}

/** The system's code of an error, `''` when it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
