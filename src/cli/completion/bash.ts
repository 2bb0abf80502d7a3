// The completion script of bash. It needs nothing but bash: no bash-completion package.
import type { CommandEntry, ValueSource } from './command-tree.ts';
import { longFlags, stepArms, valueArms } from './shell-cases.ts';

/** The script, to be sourced. */
export function bashScript(entries: readonly CommandEntry[]): string {
  return `# bash completion for herald; load it with: source <(herald completion bash)
_herald_words() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
}
_herald_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$cur"))
}
_herald_names() {
  _herald_words "$("\${words[0]}" __names "$1" 2>/dev/null)"
}
_herald() {
  # By the line itself: bash cuts words at = and : as well, and node ids may have a colon.
  local line="\${COMP_LINE:0:COMP_POINT}" cur="" at="" previous word index
  local -a words
  read -ra words <<<"$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  COMPREPLY=()
  cur="\${words[\${#words[@]} - 1]}"
  previous="\${words[\${#words[@]} - 2]}"
  for ((index = 1; index < \${#words[@]} - 1; index++)); do
    word="\${words[index]}"
    case "$at|$word" in
${stepArms(entries)}
    esac
  done
  if [[ "$cur" == --*=* ]]; then
    previous="\${cur%%=*}"
    cur="\${cur#*=}"
  fi
  _herald_complete
  if [[ "$cur" == *:* && "$COMP_WORDBREAKS" == *:* ]]; then
    word="\${cur%"\${cur##*:}"}"
    COMPREPLY=("\${COMPREPLY[@]#"$word"}")
  fi
}
_herald_complete() {
  case "$at|$previous" in
${valueArms(entries, complete)}
  esac
  case "$at" in
${entries.map(commandCase).join('\n')}
  esac
}
complete -F _herald herald
`;
}

function commandCase(entry: CommandEntry): string {
  const { path, below, argument } = entry;
  const flags = longFlags(entry).map(({ flag }) => flag);
  const words = below.map(({ name }) => name);
  const bare = words.length > 0 ? complete({ kind: 'words', words }) : complete(argument);
  return `    '${path}')
      case "$cur" in
        -*) ${complete({ kind: 'words', words: flags })} ;;
        *) ${bare} ;;
      esac
      ;;`;
}

/** The call that fills COMPREPLY. */
function complete(value: ValueSource): string {
  switch (value.kind) {
    case 'words':
      return `_herald_words $'${value.words.join('\\n')}'`;
    case 'files':
      return '_herald_files';
    case 'names':
      return `_herald_names ${value.of}`;
    case 'nothing':
      return ':';
  }
}
