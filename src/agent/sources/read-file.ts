// Reads one small regular file without ever waiting for a writer. What the text means is file-source.ts's work.
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { isRecord } from '../../protocol/field-checks.ts';

/** What is in a file, or why it cannot be told. */
export type FileText =
  | {
      readonly text: string;
      /** Epoch milliseconds of the last change of its content. */
      readonly mtimeMs: number;
    }
  | { readonly missing: string };

/** No number alone is longer, however much an answer of other sources may hold. */
const maxNumberBytes = 4096;

const errorHints: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file: is its writer running?',
  EACCES: "the agent's user may not read it",
  EPERM: "the agent's user may not read it",
  ENOTDIR: 'a part of its path is no directory',
  ELOOP: 'its symbolic links lead in a circle',
};

/** Reads at most `maxBytes`, and at most 4096. Symbolic links are followed. Never rejects. */
export async function readSmallFile(path: string, maxBytes: number): Promise<FileText> {
  try {
    // Looked at before it is opened: opening a device can already do something.
    const before = kindProblem(await stat(path));
    if (before !== undefined) return { missing: before };
    // O_NONBLOCK: should a FIFO have come into its place meanwhile, opening it must not wait for a writer.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return await readOpen(file, Math.min(maxBytes, maxNumberBytes));
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = isRecord(error) && typeof error['code'] === 'string' ? error['code'] : 'FAILED';
    const hint = errorHints[code];
    return { missing: `it cannot be read (${code})${hint === undefined ? '' : `: ${hint}`}` };
  }
}

async function readOpen(file: FileHandle, maxBytes: number): Promise<FileText> {
  const stats = await file.stat();
  const problem = kindProblem(stats);
  if (problem !== undefined) return { missing: problem };
  // One more than allowed shows that there is more; sizes are not asked, /proc says 0.
  const buffer = Buffer.alloc(maxBytes + 1);
  let bytes = 0;
  while (bytes < buffer.length) {
    const { bytesRead } = await file.read(buffer, bytes, buffer.length - bytes);
    if (bytesRead === 0) break;
    bytes += bytesRead;
  }
  if (bytes > maxBytes)
    return { missing: `it is longer than ${maxBytes} bytes: it must hold one number alone` };
  return { text: buffer.subarray(0, bytes).toString('utf8'), mtimeMs: stats.mtimeMs };
}

function kindProblem(stats: Stats): string | undefined {
  if (stats.isFile()) return undefined;
  const kinds = [
    [stats.isDirectory(), 'a directory'],
    [stats.isFIFO(), 'a FIFO'],
    [stats.isSocket(), 'a socket'],
  ] as const;
  const kind = kinds.find(([is]) => is)?.[1] ?? 'a device';
  return `it is ${kind}: only regular files are read`;
}
