// Binding a UNIX socket that nobody else can open, not even for a moment.
import { lstat, mkdir, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { HeraldError } from '../../core/error.ts';
import type { HttpServer } from '../../platform/http-server.ts';

// sun_path holds 108 bytes with its end on Linux and 104 on macOS. Node cuts a longer path off without a word and
// listens somewhere else (seen on 20.20).
const maxPathBytes = 103;
const ownerOnly = 0o177;

/**
 * Listens at `path` with mode 0600; creates the parent directory with 0700. A file left by a dead process is
 * replaced. Rejects with HERALD_LISTEN_FAILED when a live one answers there, or when it is no socket.
 */
export async function listenPrivately(server: HttpServer, path: string): Promise<void> {
  const bytes = Buffer.byteLength(path);
  if (bytes > maxPathBytes)
    throw failed(path, `the path has ${bytes} bytes, a UNIX socket at most ${maxPathBytes}`);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await bind(server, path).catch(async (error: unknown) => {
      if (codeOf(error) !== 'EADDRINUSE') throw error;
      await removeStale(path);
      await bind(server, path);
    });
  } catch (error) {
    if (error instanceof HeraldError) throw error;
    throw failed(path, error instanceof Error ? error.message : String(error), error);
  }
}

/**
 * The mask is the process's, but it is set for one synchronous call only: `listen` binds before it returns. A
 * file that a thread of the pool creates in that moment gets fewer rights, never more. Rejected: chmod after
 * bind (open to everybody for a moment), and binding in a private directory with a rename behind it (rename
 * replaces a live socket; bind refuses to).
 */
function bind(server: HttpServer, path: string): Promise<unknown> {
  const before = process.umask(ownerOnly);
  try {
    return server.listen({ path });
  } finally {
    process.umask(before);
  }
}

async function removeStale(path: string): Promise<void> {
  const found = await lstat(path);
  if (!found.isSocket()) throw failed(path, 'there is a file there that is no socket');
  if (await answers(path)) throw failed(path, 'another process listens there: is Herald running already?');
  // Another Herald may have replaced the file meanwhile, as we are about to: then it is not ours to remove.
  const still = await lstat(path);
  if (still.ino !== found.ino) throw failed(path, 'another process has just started to listen there');
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Only a refusal proves that nobody listens: a full backlog (EAGAIN) or a foreign owner (EACCES) does not.
    socket.once('error', (error) => resolve(codeOf(error) !== 'ECONNREFUSED'));
  });
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

function failed(path: string, why: string, cause?: unknown): HeraldError {
  return new HeraldError(
    'HERALD_LISTEN_FAILED',
    `the admin socket cannot listen at ${path}: ${why}`,
    { path },
    { cause },
  );
}
