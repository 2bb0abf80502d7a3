// What a command may touch of the world outside: streams, environment, signals. Handed in, so that tests can.
import type { Clock } from '../core/clock.ts';
import type { TextStream } from './live-screen.ts';

/** The surroundings of a command. */
export interface CliIo {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}
