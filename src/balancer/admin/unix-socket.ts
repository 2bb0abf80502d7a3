// Binding a UNIX socket that nobody else can open, not even for a moment.
import { randomBytes } from 'node:crypto';
import { link, lstat, mkdir, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { HeraldError } from '../../core/error.ts';
import type { HttpServer } from '../../platform/http-server.ts';
import type { ListenSlot } from '../../platform/listening-sockets.ts';

// sun_path holds 108 bytes with its end on Linux and 104 on macOS. Node cuts a longer path off without a word and
// listens somewhere else (seen on 20.20).
const maxPathBytes = 103;
const ownerOnly = 0o177;

/** A socket file that a server listens behind. */
export interface SocketFile {
  /** Removes the file, unless it is somebody else's by now. Never rejects. */
  remove(): Promise<void>;
}

/**
 * Listens at `path` with mode 0600; creates the parent directory with 0700. A file left by a dead process is
 * replaced. Rejects with HERALD_LISTEN_FAILED when a live one answers there, or when it is no socket. What `slot` has
 * inherited is listened on as it is.
 */
export async function listenPrivately(
  server: HttpServer,
  path: string,
  slot?: ListenSlot,
): Promise<SocketFile> {
  const temporary = join(dirname(path), `.h${randomBytes(3).toString('hex')}`);
  const bytes = Math.max(Buffer.byteLength(path), Buffer.byteLength(temporary));
  if (bytes > maxPathBytes)
    throw failed(path, `the path has ${bytes} bytes, a UNIX socket at most ${maxPathBytes}`);
  try {
    if (slot?.inheritedFd !== undefined) {
      await server.listen({ path }, slot);
      return socketFile(path);
    }
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await bind(server, temporary, slot);
    await name(temporary, path).finally(() => unlink(temporary));
    return await socketFile(path);
  } catch (error) {
    await server.stop();
    if (error instanceof HeraldError) throw error;
    throw failed(path, error instanceof Error ? error.message : String(error), error);
  }
}

/**
 * The mask is the process's, but it is set for one synchronous call only: `listen` binds before it returns. A
 * file that a thread of the pool creates in that moment gets fewer rights, never more. Rejected: chmod after
 * bind (open to everybody for a moment).
 */
function bind(server: HttpServer, path: string, slot: ListenSlot | undefined): Promise<unknown> {
  const before = process.umask(ownerOnly);
  try {
    return server.listen({ path }, slot);
  } finally {
    process.umask(before);
  }
}

/**
 * Gives the socket its name. A server that is closed removes the file that it was bound to, whoever listens there by
 * then; so it is bound elsewhere, and this name is nobody's but ours to remove. Like a bind, and unlike a rename,
 * a link refuses to replace a live socket.
 */
async function name(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    await removeStale(path);
    await link(temporary, path);
  }
}

/** The file as it is now: a later one of this name has another number, unless the number was given again. */
async function socketFile(path: string): Promise<SocketFile> {
  const number = await inodeOf(path);
  return {
    async remove() {
      if (number === undefined || (await inodeOf(path)) !== number) return;
      await unlink(path).catch(() => undefined);
    },
  };
}

async function inodeOf(path: string): Promise<number | undefined> {
  const found = await lstat(path).catch(() => undefined);
  return found?.ino;
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
