import type { CommandNode } from './tree.ts';

export function zshScript(nodes: readonly CommandNode[]): string {
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return `#compdef weir
# Completion of weir for zsh: source <(weir completion zsh)
_weir() {
  local path_='' kind=none word
  local -a names
  for word in "\${words[@]:1:$((CURRENT - 2))}"; do
    case "\${path_:+$path_ }$word" in
      ${paths.join(' | ')}) path_="\${path_:+$path_ }$word" ;;
    esac
  done
  case "$path_ \${words[CURRENT - 1]}" in
${nodes.flatMap(zshValueCases).join('\n')}
  esac
  case "$path_" in
${nodes.map(zshCase).join('\n')}
  esac
  _describe 'weir' names
  if [[ $PREFIX != -* ]]; then
    case "$kind" in
      files) _files ;;
      none) ;;
      *) compadd -- \${(f)"$("\${words[1]}" completion --values "$kind" 2>/dev/null)"} ;;
    esac
  fi
}
compdef _weir weir
`;
}

/** After an option that takes a value: its choices, else the name of a file or folder. */
function zshValueCases({ path, options }: CommandNode): readonly string[] {
  return options
    .filter(({ takesValue }) => takesValue)
    .map(({ flag, choices }) => {
      const words = choices.length === 0 ? '_files' : `compadd -- ${choices.join(' ')}`;
      return `    '${path} ${flag}') ${words}; return ;;`;
    });
}

function zshCase(
  { path, commands, options, values, choices }: CommandNode,
  _index: number,
  all: readonly CommandNode[],
): string {
  const summaryOf = (name: string) =>
    all.find((node) => node.path === (path === '' ? name : `${path} ${name}`))?.summary ?? '';
  const names = [
    ...commands.map((name) => item(name, summaryOf(name))),
    ...choices.map((name) => item(name, '')),
    ...options.map(({ flag, summary }) => item(flag, summary)),
  ];
  return `    '${path}') kind=${values}; names=(${names.join(' ')}) ;;`;
}

function item(name: string, summary: string): string {
  return `'${name}:${summary.replaceAll("'", '').replaceAll(':', ' ')}'`;
}
