// A log in a file of its own: one JSON object a line, written behind the back of whoever logs.
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { destination, pino } from 'pino';
import { complaintOf } from './read-text.ts';
import type { Complaint } from '../policy/quantity.ts';

/** A log file with a lifetime. */
export interface LogFile {
  /** Adds one line. Never waits, never throws: what a full or slow disk does not take is lost. */
  write(facts: object, event: string): void;
  /** Opens the file anew under its name, for whoever has moved it away. */
  reopen(): void;
  /** Writes what is kept back and closes it. */
  stop(): void;
}

// What is kept back for a slow disk: some ten thousand lines.
const maxKeptBytes = 4 * 1024 * 1024;

/** Who hears of trouble; it costs lines and nothing else. */
export interface LogFileTrouble {
  /** Writing has failed. */
  failed(error: Error): void;
  /** One line is lost: too much is kept back already. */
  lost(): void;
}

/** Opens a log file for adding to it. */
export function openLogFile(path: string, trouble: LogFileTrouble): LogFile {
  const stream = destination({ dest: path, append: true, sync: false, maxLength: maxKeptBytes });
  stream.on('error', (error: Error) => trouble.failed(error));
  stream.on('drop', () => trouble.lost());
  const log = pino({ level: 'info', base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
  return {
    write: (facts, event) => log.info(facts, event),
    reopen: () => stream.reopen(),
    stop: () => stream.end(),
  };
}

/** Why no log file can be opened there; undefined when it can. */
export async function faultOfLogFile(path: string): Promise<Complaint | undefined> {
  try {
    if ((await stat(path)).isDirectory()) return { message: 'is a directory', hint: 'name a file in it' };
    await access(path, constants.W_OK);
    return undefined;
  } catch (error) {
    const complaint = complaintOf(error);
    if (complaint.message !== 'does not exist')
      return { message: 'may not be written', hint: 'check the permissions' };
  }
  return access(dirname(path), constants.W_OK).then(
    () => undefined,
    () => ({ message: 'its directory does not exist or may not be written', hint: 'make it first' }),
  );
}
