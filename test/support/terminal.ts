// A command in a terminal of its own (test/e2e/fixtures/terminal.py), with a script of what is typed when.
import { fileURLToPath } from 'node:url';
import { startProcess } from './herald-command.ts';

const player = fileURLToPath(new URL('../e2e/fixtures/terminal.py', import.meta.url));

/** Waits until `until` matches the screen, then does the rest. */
export interface TerminalStep {
  /** A regular expression of Python; left out: at once. */
  readonly until?: string;
  /** Name under which the screen is kept. */
  readonly keep?: string;
  readonly send?: string;
  readonly resize?: readonly [columns: number, rows: number];
  readonly signal?: NodeJS.Signals;
}

/** What happened in it. */
export interface TerminalEnd {
  /** Negative: the signal that ended it. */
  readonly code: number;
  /** What steps still waited for at the end. */
  readonly left: readonly string[];
  readonly kept: Readonly<Record<string, readonly string[]>>;
  readonly last: readonly string[];
  readonly isSecondScreen: boolean;
  readonly isCursorShown: boolean;
  /** Typed lines are edited by the terminal, as before the command began. */
  readonly isLineMode: boolean;
  /** Everything written, control sequences included. */
  readonly raw: string;
}

/** Whether this machine can make terminals; HERALD_TEST_LACKS says that it cannot. */
export const hasTerminals = !(process.env['HERALD_TEST_LACKS'] ?? '')
  .split(',')
  .includes('python3-websockets');

/** Runs a command in a terminal to its end. */
export async function inTerminal(
  command: readonly string[],
  {
    size,
    steps,
    env,
  }: {
    size: readonly [columns: number, rows: number];
    steps: readonly TerminalStep[];
    env?: Readonly<Record<string, string>>;
  },
): Promise<TerminalEnd> {
  const [columns, rows] = size;
  const script = JSON.stringify({ command, columns, rows, steps, limit: 40 });
  const run = startProcess('/usr/bin/python3', [player, script], { env: { TERM: 'xterm', ...env } });
  const { stdout, stderr } = await run.ended(60_000);
  if (stderr !== '') throw new Error(stderr);
  // Proof of `as`: the script above prints this.
  return JSON.parse(stdout) as TerminalEnd;
}
