import type { CommandNode, OptionNode } from './tree.ts';

export function fishScript(nodes: readonly CommandNode[]): string {
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return `# Completion of weir for fish: weir completion fish | source
function __weir_path
  set -l path ''
  set -l words (commandline -opc)
  for word in $words[2..-1]
    set -l next (string trim -- "$path $word")
    if contains -- "$next" ${paths.join(' ')}
      set path "$next"
    end
  end
  echo "$path"
end
function __weir_at
  test (__weir_path) = "$argv[1]"
end
function __weir_values
  set -l words (commandline -opc)
  $words[1] completion --values $argv[1] 2>/dev/null
end
complete -c weir -f
${nodes.flatMap((node) => fishLines(node, nodes)).join('\n')}
`;
}

function fishLines(
  { path, commands, options, values, choices }: CommandNode,
  all: readonly CommandNode[],
): readonly string[] {
  const at = `complete -c weir -n "__weir_at '${path}'"`;
  const summaryOf = (name: string) =>
    all.find((node) => node.path === `${path} ${name}`.trim())?.summary ?? '';
  return [
    ...commands.map((name) => `${at} -a ${name} -d ${quoted(summaryOf(name))}`),
    ...choices.map((name) => `${at} -a ${name}`),
    ...options.map((option) => `${at} ${optionWords(option)}`),
    ...(values === 'files' ? [`${at} -F`] : []),
    ...(values === 'files' || values === 'none' ? [] : [`${at} -a '(__weir_values ${values})'`]),
  ];
}

function optionWords({ flag, summary, takesValue, choices }: OptionNode): string {
  const value = choices.length === 0 ? ' -r -F' : ` -x -a ${quoted(choices.join(' '))}`;
  return `-l ${flag.slice(2)}${takesValue ? value : ''} -d ${quoted(summary)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
