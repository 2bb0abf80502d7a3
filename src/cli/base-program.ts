// `herald` without its commands.
import { Command } from 'commander';
import { packageVersion } from '../platform/version.ts';
import { usageError } from './flag-values.ts';
import type { CliIo } from './io.ts';

/** A program that writes where `io` says and throws instead of ending the process. */
export function createBaseProgram(io: CliIo): Command {
  return new Command('herald')
    .description('Feedback-driven load balancer for long-lived connections')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: (text, write) => write(`${mistakeLine(text)}\n`),
    })
    .hook('preAction', (_, command) => refuseEmpty(command));
}

/** What commander says of a mistake as every other error of ours reads: one line, with what to do and a code. */
function mistakeLine(text: string): string {
  const said = text
    .trim()
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (one of )?(.*)\?\)$/, '; did you mean $2?')
    .replace(/ is invalid\. (.)/, (_, first: string) => `: ${first.toLowerCase()}`)
    .replace(/\.$/, '');
  return `herald: ${said}; see \`herald help\` [HERALD_USAGE]`;
}

/** A variable that is not set leaves an empty word: no name is empty, and no command means all by it. */
function refuseEmpty(command: Command): void {
  command.registeredArguments.forEach((argument, index) => {
    if ([command.processedArgs[index]].flat().includes(''))
      throw usageError(`argument '${argument.name()}' is empty`);
  });
  // A reason may be left empty: it means none.
  for (const option of command.options)
    if (option.long !== '--why' && command.getOptionValue(option.attributeName()) === '')
      throw usageError(`${option.long ?? option.flags} is empty`);
}
