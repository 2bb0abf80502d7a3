// Keys of TLS session tickets: the same in every process that shares one secret, another every few hours, and none
// can be computed back once its time is over (the secret is replaced by its own hash).
import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { HeraldError } from '../core/error.ts';

/** How long one key is used. A ticket of the key before costs its client one full handshake, so not minutes. */
export const ticketPeriodMs = 12 * 60 * 60 * 1000;
const keyBytes = 48;
// A year of periods: a secret older than that is of a machine that was forgotten.
const maxSteps = 800;
const form = /^herald-tickets 1 (\d{1,9}) ([0-9a-f]{64})\n$/;

interface Secret {
  /** Number of its period since the epoch. */
  readonly period: number;
  readonly bytes: Buffer;
}

/**
 * The 48 bytes for `listener` at `wallMs`, in which Node wants name, HMAC and AES key. The file is made when it is not
 * there, with mode 0600, and carried forward when its period is over. Throws HERALD_LISTEN_FAILED when it cannot be
 * used.
 */
export function ticketKeys(path: string, listener: string, wallMs: number): Buffer {
  const period = Math.floor(wallMs / ticketPeriodMs);
  try {
    const now = carriedForward(readOrMake(path, period), period, path);
    return Buffer.from(hkdfSync('sha256', now.bytes, '', `herald tickets of ${listener}`, keyBytes));
  } catch (error) {
    if (error instanceof HeraldError) throw error;
    throw unusable(path, error instanceof Error ? error.message : String(error), error);
  }
}

/** Keys for one process, for as long as it runs: where no file is to be had. */
export function randomTicketKeys(): Buffer {
  return randomBytes(keyBytes);
}

function readOrMake(path: string, period: number): Secret {
  const found = read(path);
  if (found !== undefined) return found;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = write(path, { period, bytes: randomBytes(32) });
  try {
    // A link and no rename: of two processes that make it at once, both use the first one's.
    linkSync(temporary, path);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
  const made = read(path);
  if (made === undefined) throw unusable(path, 'it vanished while it was being made');
  return made;
}

function read(path: string): Secret | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  const [, period, hex] = form.exec(text) ?? [];
  if (period === undefined || hex === undefined)
    throw unusable(path, 'it holds something else: remove it, and it is made anew');
  return { period: Number(period), bytes: Buffer.from(hex, 'hex') };
}

/** Every process computes the same, so whoever writes last writes what the others have written. */
function carriedForward(secret: Secret, period: number, path: string): Secret {
  // A clock that was set back: tickets go on with the newer key.
  if (secret.period >= period) return secret;
  if (period - secret.period > maxSteps) {
    rmSync(path);
    return readOrMake(path, period);
  }
  let { bytes } = secret;
  for (let step = secret.period; step < period; step++)
    bytes = createHash('sha256').update('herald tickets').update(bytes).digest();
  const next = { period, bytes };
  renameSync(write(path, next), path);
  return next;
}

function write(path: string, { period, bytes }: Secret): string {
  const temporary = `${path}.${randomBytes(3).toString('hex')}`;
  writeFileSync(temporary, `herald-tickets 1 ${period} ${bytes.toString('hex')}\n`, {
    mode: 0o600,
    flag: 'wx',
  });
  return temporary;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function unusable(path: string, why: string, cause?: unknown): HeraldError {
  const message = `the secret of session tickets, ${path}, cannot be used: ${why}`;
  return new HeraldError('HERALD_LISTEN_FAILED', message, { path }, { cause });
}
