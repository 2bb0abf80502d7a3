// The completion script of zsh, for a file `_herald` in $fpath or to be sourced after compinit.
import type { CommandEntry, ValueSource } from './command-tree.ts';
import { longFlags, stepArms, valueArms } from './shell-cases.ts';

/** The script. */
export function zshScript(entries: readonly CommandEntry[]): string {
  return `#compdef herald
# zsh completion for herald; load it with: source <(herald completion zsh)
_herald_names() {
  local -a names
  names=(\${(f)"$("$words[1]" __names "$1" 2>/dev/null)"})
  compadd -a names
}
_herald() {
  local at="" index previous="$words[CURRENT-1]"
  local -a list
  for ((index = 2; index < CURRENT; index++)); do
    case "$at|$words[index]" in
${stepArms(entries)}
    esac
  done
  if [[ "$PREFIX" == --*=* ]]; then
    previous="\${PREFIX%%=*}"
    compset -P '*='
  fi
  case "$at|$previous" in
${valueArms(entries, complete)}
  esac
  case "$at" in
${entries.map(commandCase).join('\n')}
  esac
}
if [ "$funcstack[1]" = "_herald" ]; then
  _herald "$@"
else
  compdef _herald herald
fi
`;
}

function commandCase(entry: CommandEntry): string {
  const { path, below, argument } = entry;
  const flags = longFlags(entry).map(({ flag, description }) => described(flag, description));
  const commands = below.map(({ name, description }) => described(name, description));
  const bare =
    commands.length > 0 ? `list=(${commands.join(' ')}); _describe command list` : complete(argument);
  return `    '${path}')
      if [[ "$PREFIX" == -* ]]; then
        list=(${flags.join(' ')})
        _describe option list
      else
        ${bare}
      fi
      ;;`;
}

/** \`'name:what it does'\`, quoted for zsh. */
function described(name: string, description: string): string {
  return `'${name}:${description.replaceAll("'", String.raw`'\''`)}'`;
}

function complete(value: ValueSource): string {
  switch (value.kind) {
    case 'words':
      return `compadd -- ${value.words.join(' ')}`;
    case 'files':
      return '_files';
    case 'names':
      return `_herald_names ${value.of}`;
    case 'nothing':
      return ':';
  }
}
