// Binding a UNIX socket with the permissions that it shall have, from its first moment on.
import { randomBytes } from 'node:crypto';
import { link, lstat, mkdir, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { HeraldError } from '../core/error.ts';
import type { ListenSlot } from './listening-sockets.ts';

// sun_path holds 108 bytes with its end on Linux and 104 on macOS. Node cuts a longer path off without a word and
// listens somewhere else (seen on 20.20).
const maxPathBytes = 103;

/** A socket file that a server listens behind. */
export interface SocketFile {
  /** Removes the file, unless it is somebody else's by now. Never rejects. */
  remove(): Promise<void>;
}

/** What can listen at a path. */
export interface PathServer {
  /** Binds before it returns. */
  listen(options: { readonly path: string }, slot?: ListenSlot): Promise<unknown>;
  stop(): Promise<unknown>;
}

/** Where a server listens. */
export interface SocketPlace {
  readonly path: string;
  /** Permissions of the file, such as 0o600. */
  readonly mode: number;
  /** What errors call it, such as `the admin socket`. */
  readonly what: string;
  readonly slot?: ListenSlot | undefined;
}

/**
 * Listens at a path; creates the parent directory, for the owner alone where the socket is. A file left by a dead
 * process is replaced. Rejects with HERALD_LISTEN_FAILED when a live one answers there, or when it is no socket. What
 * the slot has inherited is listened on as it is.
 */
export async function listenAtPath(server: PathServer, place: SocketPlace): Promise<SocketFile> {
  const { path, mode, slot } = place;
  const temporary = join(dirname(path), `.h${randomBytes(3).toString('hex')}`);
  const bytes = Math.max(Buffer.byteLength(path), Buffer.byteLength(temporary));
  try {
    if (bytes > maxPathBytes)
      throw new Error(`the path has ${bytes} bytes, a UNIX socket at most ${maxPathBytes}`);
    if (slot?.inheritedFd !== undefined) {
      await server.listen({ path }, slot);
      return socketFile(path);
    }
    await mkdir(dirname(path), { recursive: true, mode: (mode & 0o077) === 0 ? 0o700 : 0o755 });
    await bind(server, temporary, place);
    await name(temporary, path).finally(() => unlink(temporary));
    return await socketFile(path);
  } catch (error) {
    await server.stop();
    throw failed(place, error);
  }
}

/**
 * The mask is the process's, but it is set for one synchronous call only: `listen` binds before it returns. A
 * file that a thread of the pool creates in that moment gets fewer rights, never more. Rejected: chmod after
 * bind (open to everybody for a moment).
 */
function bind(server: PathServer, path: string, { mode, slot }: SocketPlace): Promise<unknown> {
  const before = process.umask(0o777 & ~mode);
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
  if (!found.isSocket()) throw new Error('there is a file there that is no socket');
  if (await answers(path)) throw new Error('another process listens there: is Herald running already?');
  // Another Herald may have replaced the file meanwhile, as we are about to: then it is not ours to remove.
  const still = await lstat(path);
  if (still.ino !== found.ino) throw new Error('another process has just started to listen there');
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

function failed({ path, what }: SocketPlace, cause: unknown): HeraldError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HeraldError(
    'HERALD_LISTEN_FAILED',
    `${what} cannot listen at ${path}: ${why}`,
    { path },
    { cause },
  );
}
