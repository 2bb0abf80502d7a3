// All commands of `herald`.
import { Command } from 'commander';
import { packageVersion } from '../platform/version.ts';
import { registerDemo } from './commands/demo.ts';
import { registerExplain } from './commands/explain.ts';
import { registerPolicyCheck } from './commands/policy-check.ts';
import { registerServe } from './commands/serve.ts';
import { registerStatus } from './commands/status.ts';
import type { ExitCode } from './exit-code.ts';
import type { CliIo } from './io.ts';

/** The program; `finish` hears the exit code of commands that end otherwise than by 0 or by an error. */
export function createProgram(io: CliIo, finish: (code: ExitCode) => void): Command {
  const program = new Command('herald')
    .description('Feedback-driven load balancer for long-lived connections')
    .version(packageVersion())
    .showHelpAfterError('(see `herald help`)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
    });
  registerServe(program, io, finish);
  registerStatus(program, io);
  registerExplain(program, io);
  registerPolicyCheck(program, finish);
  registerDemo(program, io);
  return program;
}
