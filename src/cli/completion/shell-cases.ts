// The arms of `case` that bash and zsh write alike. What a shell does with a value is its own script's.
import { steps, type CommandEntry, type ValueSource } from './command-tree.ts';

/** Arms that lead from a command, in `$at`, by a word to one below it. */
export function stepArms(entries: readonly CommandEntry[]): string {
  return steps(entries)
    .map(({ from, word, to }) => `      '${from}|${word}') at='${to}' ;;`)
    .join('\n');
}

/** Arms for the value behind an option of a command; `complete` is the call that offers it. */
export function valueArms(
  entries: readonly CommandEntry[],
  complete: (value: ValueSource) => string,
): string {
  const arms = entries.flatMap(({ path, options }) =>
    options.flatMap(({ flags, value }) => {
      if (value === undefined) return [];
      const patterns = flags.map((flag) => `'${path}|${flag}'`).join(' | ');
      return [`    ${patterns}) ${complete(value)}; return ;;`];
    }),
  );
  return arms.join('\n');
}

/** The long flags of a command with what they do: what is offered behind a dash. */
export function longFlags({ options }: CommandEntry): { flag: string; description: string }[] {
  return options.flatMap(({ flags, description }) =>
    flags.filter((flag) => flag.startsWith('--')).map((flag) => ({ flag, description })),
  );
}
