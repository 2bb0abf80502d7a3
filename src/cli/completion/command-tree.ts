// What a shell can complete, read from the commands themselves, so that no list has to be kept beside them.
import type { Argument, Command, Option } from 'commander';

/** What stands for a value: words that are known, files, or names that a running balancer knows. */
export type ValueSource =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'files' }
  | { readonly kind: 'names'; readonly of: NameKind }
  | { readonly kind: 'nothing' };

/** What a balancer can be asked the names of. */
export const nameKinds = ['nodes', 'pools', 'operations', 'policies'] as const;

/** One of them. */
export type NameKind = (typeof nameKinds)[number];

/** One option of a command. */
export interface OptionEntry {
  /** `-o` and `--output`, or one of them. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Undefined: it takes none. */
  readonly value: ValueSource | undefined;
}

/** One command that can be completed. */
export interface CommandEntry {
  /** Words behind `herald`: `policy show`; '' for `herald` itself. */
  readonly path: string;
  readonly description: string;
  /** Commands below it: name and description. */
  readonly below: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionEntry[];
  /** What its arguments are; of several the last one repeats. */
  readonly argument: ValueSource;
}

/** The program and every command below it that is not hidden, in the order of its help. */
export function commandEntries(program: Command): CommandEntry[] {
  return entriesOf(program, '');
}

function entriesOf(command: Command, path: string): CommandEntry[] {
  const help = command.createHelp();
  const below = help.visibleCommands(command).filter((each) => each.name() !== 'help');
  const entry: CommandEntry = {
    path,
    description: command.description(),
    below: below.map((each) => ({ name: each.name(), description: each.description() })),
    options: help.visibleOptions(command).map(optionEntry),
    argument: argumentSource(command.registeredArguments.at(-1)),
  };
  return [entry, ...below.flatMap((each) => entriesOf(each, `${path} ${each.name()}`.trim()))];
}

function optionEntry(option: Option): OptionEntry {
  const { short, long, description, argChoices } = option;
  const flags = [short, long].filter((flag) => flag !== undefined);
  const takesValue = option.required || option.optional;
  return { flags, description, value: takesValue ? source(valueName(option), argChoices) : undefined };
}

/** `path` of `-s, --socket <path>`. */
function valueName({ flags }: Option): string {
  return /[<[]([^>\].]+)/.exec(flags)?.[1] ?? '';
}

function argumentSource(argument: Argument | undefined): ValueSource {
  return argument === undefined ? { kind: 'nothing' } : source(argument.name(), argument.argChoices);
}

/** By the word that stands for the value in the help: it says the same to shells as to people. */
function source(name: string, choices: readonly string[] | undefined): ValueSource {
  if (choices !== undefined) return { kind: 'words', words: choices };
  const names: Readonly<Record<string, ValueSource>> = {
    node: { kind: 'names', of: 'nodes' },
    pool: { kind: 'names', of: 'pools' },
    id: { kind: 'nothing' },
    ID: { kind: 'names', of: 'operations' },
    name: { kind: 'names', of: 'policies' },
    file: { kind: 'files' },
    path: { kind: 'files' },
  };
  return names[name] ?? names[name.toLowerCase()] ?? { kind: 'nothing' };
}

/** One word that leads from a command to one below it. */
export interface Step {
  readonly from: string;
  readonly word: string;
  readonly to: string;
}

/** Every such word, for the loop with which a script finds out which command a line is about. */
export function steps(entries: readonly CommandEntry[]): Step[] {
  return entries.flatMap(({ path, below }) =>
    below.map(({ name }) => ({ from: path, word: name, to: `${path} ${name}`.trim() })),
  );
}
