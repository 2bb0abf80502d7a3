// What a command may touch of the world outside: streams, environment, signals. Handed in, so that tests can.
import type { Clock } from '../core/clock.ts';

/** Somewhere to write text. */
export interface TextStream {
  readonly isTTY?: boolean;
  /** Width and height of the terminal; undefined where it is none. */
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

/** Where keys come from. */
export interface KeyStream {
  /** Each key as it is typed and nothing echoed; undefined where it is no terminal. */
  setRawMode?(isRaw: boolean): unknown;
  on(event: 'data', listener: (chunk: unknown) => void): unknown;
  off(event: 'data', listener: (chunk: unknown) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** The surroundings of a command. */
export interface CliIo {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Left out: nobody types. Touched by commands that read keys only. */
  readonly stdin?: KeyStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}
