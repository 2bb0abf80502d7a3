// `herald` without its commands.
import { Command } from 'commander';
import { packageVersion } from '../platform/version.ts';
import type { CliIo } from './io.ts';

/** A program that writes where `io` says and throws instead of ending the process. */
export function createBaseProgram(io: CliIo): Command {
  return new Command('herald')
    .description('Feedback-driven load balancer for long-lived connections')
    .version(packageVersion())
    .showHelpAfterError('(see `herald help`)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
    });
}
