// The completion script of fish, for ~/.config/fish/completions/herald.fish or to be sourced.
import { steps, type CommandEntry, type OptionEntry, type ValueSource } from './command-tree.ts';

/** The script. */
export function fishScript(entries: readonly CommandEntry[]): string {
  return `# fish completion for herald; load it with: herald completion fish | source
function __herald_at
    set -l at ''
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        switch "$at|$word"
${steps(entries)
  .map(({ from, word, to }) => `            case '${from}|${word}'\n                set at '${to}'`)
  .join('\n')}
        end
    end
    test "$at" = "$argv[1]"
end
complete -c herald -f
${entries.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, below, options, argument }: CommandEntry): string[] {
  const start = `complete -c herald -n "__herald_at '${path}'"`;
  return [
    ...below.map(({ name, description }) => `${start} -a ${name} -d ${quoted(description)}`),
    ...options.map((option) => `${start}${optionLine(option)}`),
    ...(below.length > 0 || argument.kind === 'nothing' ? [] : [`${start}${valueOf(argument)}`]),
  ];
}

function optionLine({ flags, description, value }: OptionEntry): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const needs = value === undefined ? '' : value.kind === 'files' ? ' -r' : ' -x';
  return ` ${names.join(' ')}${needs}${value === undefined ? '' : valueOf(value)} -d ${quoted(description)}`;
}

function valueOf(value: ValueSource): string {
  switch (value.kind) {
    case 'words':
      return ` -a '${value.words.join(' ')}'`;
    case 'files':
      return ' -F';
    case 'names':
      return ` -a '(herald __names ${value.of} 2>/dev/null)'`;
    case 'nothing':
      return '';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;
}
