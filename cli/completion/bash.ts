import type { CommandNode } from './tree.ts';

export function bashScript(nodes: readonly CommandNode[]): string {
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return `# Completion of weir for bash: source <(weir completion bash)
_weir() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path='' words='' kind=none i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${path:+$path }\${COMP_WORDS[i]}" in
      ${paths.join(' | ')}) path="\${path:+$path }\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path $prev" in
${nodes.flatMap(bashValueCases).join('\n')}
  esac
  case "$path" in
${nodes.map(bashCase).join('\n')}
  esac
  if [[ $cur != -* ]]; then
    case "$kind" in
      files) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
      none) ;;
      *) words="$words $("\${COMP_WORDS[0]}" completion --values "$kind" 2>/dev/null)" ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _weir weir
`;
}

/** After an option that takes a value: its choices, else the name of a file or folder. */
function bashValueCases({ path, options }: CommandNode): readonly string[] {
  return options
    .filter(({ takesValue }) => takesValue)
    .map(({ flag, choices }) => {
      const words = choices.length === 0 ? '-f' : `-W '${choices.join(' ')}'`;
      return `    '${path} ${flag}') mapfile -t COMPREPLY < <(compgen ${words} -- "$cur"); return ;;`;
    });
}

function bashCase({ path, commands, options, values, choices }: CommandNode): string {
  const words = [...commands, ...choices, ...options.map(({ flag }) => flag)].join(' ');
  return `    '${path}') words='${words}'; kind=${values} ;;`;
}
