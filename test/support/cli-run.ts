// A command of `herald` run within the test's own process: its output as text, its end as a number.
import type { Clock } from '../../src/core/clock.ts';
import { failureOf } from '../../src/cli/fail.ts';
import type { CliIo } from '../../src/cli/io.ts';
import { createProgram } from '../../src/cli/program.ts';

/** Where a command runs. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** stderr is a terminal of 80 columns. */
  readonly isTerminal?: boolean;
  readonly signal?: AbortSignal;
  readonly onOutput?: (all: { stdout: string; stderr: string }) => void;
}

/** How it ended. */
export interface RunEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Time that passes as soon as anybody waits for it. */
export function hurriedClock(): Clock {
  let nowMs = 0;
  const schedule = (delayMs: number, callback: () => void) => {
    const handle = setTimeout(() => {
      nowMs += delayMs;
      callback();
    }, 1);
    return { cancel: () => clearTimeout(handle) };
  };
  return {
    nowMs: () => nowMs,
    wallMs: () => 1_700_000_000_000 + nowMs,
    schedule,
    repeat() {
      throw new Error('no command repeats');
    },
  };
}

/** Runs `herald` with these arguments. */
export async function runHerald(args: readonly string[], options: RunOptions = {}): Promise<RunEnd> {
  const { env = {}, isTerminal = false, signal = new AbortController().signal, onOutput } = options;
  const all = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr', isTTY: boolean) => ({
    isTTY,
    ...(isTTY && { columns: 80 }),
    write(text: string) {
      all[name] += text;
      onOutput?.(all);
    },
  });
  const io: CliIo = {
    stdout: stream('stdout', false),
    stderr: stream('stderr', isTerminal),
    env: { NO_COLOR: '1', ...env },
    clock: hurriedClock(),
    signal,
  };
  let code = 0;
  try {
    await createProgram(io, (given) => (code = given)).parseAsync(['node', 'herald', ...args]);
  } catch (error) {
    const failure = failureOf(error, signal);
    code = failure.code;
    if (failure.message !== '') io.stderr.write(`herald: ${failure.message}\n`);
  }
  return { code, ...all };
}
