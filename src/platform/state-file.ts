// One small file that is either as it was or as it shall be, never half of each. What is in it is not known here.
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { StateStore, StoredState } from '../balancer/state/ports.ts';
import { complaintOf } from './read-text.ts';

// 5,000 nodes take under 2 MiB; what is larger than this was not written here.
const maxBytes = 8 * 1024 * 1024;

/**
 * A store in this file. Writing makes the directory, for its owner alone, and rejects over 8 MiB; what is set aside
 * becomes `PATH.bad`, in place of an earlier one, so that no directory fills up with them.
 */
export function createStateFile(path: string): StateStore {
  return {
    read: () => read(path),
    async write(text) {
      const bytes = Buffer.byteLength(text);
      if (bytes > maxBytes) throw new Error(`${path}: ${bytes} bytes are more than the ${maxBytes} allowed`);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await replace(path, text);
    },
    async setAside() {
      const aside = `${path}.bad`;
      await rename(path, aside);
      return aside;
    },
  };
}

async function read(path: string): Promise<StoredState> {
  try {
    const stats = await stat(path);
    // A pipe or a device could block for ever or never end; a directory is not ours to move.
    if (!stats.isFile()) return { kind: 'unreadable', reason: `${path}: is not a regular file` };
    if (stats.size > maxBytes) return { kind: 'foreign', reason: 'it is larger than 8 MiB' };
    const bytes = await readFile(path);
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    const { message } = complaintOf(error);
    if (message === 'does not exist') return { kind: 'absent' };
    if (message === 'is not UTF-8 text') return { kind: 'foreign', reason: 'it is not UTF-8 text' };
    return { kind: 'unreadable', reason: `${path}: ${message}` };
  }
}

/** The name is given to the new bytes only when they are on the disk; a reader sees the old ones until then. */
async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Keeps the rename itself; where a directory cannot be synced the file is whole all the same. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r').catch(() => undefined);
  await directory?.sync().catch(() => undefined);
  await directory?.close();
}
