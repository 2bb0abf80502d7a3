// How commands fail: one line on stderr for people, one exit code for scripts.
import { CommanderError } from 'commander';
import { HeraldError, type ErrorCode } from '../core/error.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';

const exitCodeOf: Partial<Record<ErrorCode, ExitCode>> = {
  HERALD_USAGE: exitCodes.usage,
  HERALD_UNREACHABLE: exitCodes.unreachable,
  HERALD_TOKEN_INVALID: exitCodes.unreachable,
};

/** The exit code for what a command threw, and the line to say; '' when all has been said. */
export function failureOf(error: unknown, signal: AbortSignal): { code: ExitCode; message: string } {
  if (signal.aborted && error === signal.reason) return { code: exitCodes.interrupted, message: '' };
  // commander has written its own message; it ends with 0 for --help and --version.
  if (error instanceof CommanderError)
    return { code: error.exitCode === 0 ? exitCodes.done : exitCodes.usage, message: '' };
  if (error instanceof HeraldError)
    return { code: exitCodeOf[error.code] ?? exitCodes.failed, message: `${error.message} [${error.code}]` };
  // A defect: its origin is the only clue.
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: exitCodes.failed, message: text };
}
