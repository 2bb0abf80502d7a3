// Logs: one JSON object a line on stdout, or coloured lines for people.
import { createRequire } from 'node:module';
import { pino, type Logger as PinoLogger } from 'pino';
import type * as pretty from 'pino-pretty';

/** A logger; events are short phrases in glossary words, facts are fields. */
export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'>;

/** Makes the process's logger. `auto` is pretty on a terminal and JSON elsewhere; `base` is part of every line. */
export function createLogger(
  options: { level: string; format: 'json' | 'pretty' | 'auto' },
  base: Readonly<Record<string, unknown>> | null = null,
): Logger {
  const isPretty = options.format === 'pretty' || (options.format === 'auto' && process.stdout.isTTY);
  const settings = { level: options.level, base, timestamp: pino.stdTimeFunctions.isoTime };
  if (!isPretty) return pino(settings, process.stdout);
  // Loaded where somebody looks: it takes some megabytes. Proof of the cast: this is the package's own type.
  const { PinoPretty } = createRequire(import.meta.url)('pino-pretty') as typeof pretty;
  // In this thread: a log that is lost when the process dies is lost when it is needed.
  return pino(settings, PinoPretty({ translateTime: 'SYS:HH:MM:ss', sync: true }));
}

/** A logger that says nothing. */
export function createSilentLogger(): Logger {
  return pino({ level: 'silent' });
}
