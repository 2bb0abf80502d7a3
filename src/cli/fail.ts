// How commands fail: one line on stderr for people, one exit code for scripts.
import { CommanderError } from 'commander';
import { HeraldError, type ErrorCode } from '../core/error.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';

const exitCodeOf: Partial<Record<ErrorCode, ExitCode>> = {
  HERALD_USAGE: exitCodes.usage,
  HERALD_DRAIN_REFUSED: exitCodes.refused,
  HERALD_FROZEN: exitCodes.refused,
  HERALD_OPERATION_RUNNING: exitCodes.refused,
  HERALD_UNREACHABLE: exitCodes.unreachable,
  HERALD_TOKEN_INVALID: exitCodes.unreachable,
  HERALD_NOT_ALLOWED: exitCodes.unreachable,
  HERALD_ORIGIN_REFUSED: exitCodes.unreachable,
};

/** What to type next, where a code alone does not say it. */
const hintOf: Partial<Record<ErrorCode, string>> = {
  HERALD_TOKEN_INVALID: 'name a file with a token of `admin.tokens` with --token-file or HERALD_TOKEN_FILE',
  HERALD_FROZEN: '`herald status` shows who froze it and why',
  HERALD_OPERATION_RUNNING: '`herald operations ID --wait` follows it, `--cancel` ends it',
};

/** The exit code for what a command threw, and the line to say; '' when all has been said. */
export function failureOf(error: unknown, signal: AbortSignal): { code: ExitCode; message: string } {
  if (signal.aborted && error === signal.reason) return { code: exitCodes.interrupted, message: '' };
  // commander has written its own message; it ends with 0 for --help and --version.
  if (error instanceof CommanderError)
    return { code: error.exitCode === 0 ? exitCodes.done : exitCodes.usage, message: '' };
  if (error instanceof HeraldError) {
    const hint = hintOf[error.code];
    const message = hint === undefined ? error.message : `${error.message}; ${hint}`;
    return { code: exitCodeOf[error.code] ?? exitCodes.failed, message: `${message} [${error.code}]` };
  }
  // A defect: its origin is the only clue.
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: exitCodes.failed, message: text };
}
