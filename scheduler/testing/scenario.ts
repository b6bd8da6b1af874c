/** A scenario file: blocks of a command, `----`, and what it printed; `#` lines say what it shows. */
export type Block = { readonly comment: string; readonly command: string; readonly expected: string };

export function parseScenario(text: string): readonly Block[] {
  return text
    .split(/\n{2,}/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseBlock);
}

export function formatScenario(blocks: readonly Block[]): string {
  return blocks
    .map(({ comment, command, expected }) => `${comment}${command}${output(expected, command)}\n`)
    .join('\n');
}

/** Runs the commands in order; gives the file as it should read. */
export function rerun(text: string, run: (command: string) => string): string {
  return formatScenario(
    parseScenario(text).map((block) => ({
      ...block,
      expected: block.command === '' ? '' : run(block.command),
    })),
  );
}

function parseBlock(part: string): Block {
  const lines = part.split('\n');
  const comment = lines.filter((line) => line.startsWith('#')).join('\n');
  const rest = lines.filter((line) => !line.startsWith('#')).join('\n');
  const [command = '', expected = ''] = rest.split('\n----');
  return {
    comment: comment === '' ? '' : `${comment}${command === '' ? '' : '\n'}`,
    command: command.trim(),
    expected: expected.trim(),
  };
}

function output(expected: string, command: string): string {
  if (command === '') return '';
  return expected === '' ? '\n----' : `\n----\n${expected}`;
}
