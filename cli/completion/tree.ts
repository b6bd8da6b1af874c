import type { Command } from 'commander';

/** What a word may be beside the names of commands and options. */
export type ValueKind = 'apps' | 'deployments' | 'tasks' | 'files' | 'none';

/** One command, by the words that lead to it; the program itself is ''. */
export type CommandNode = {
  /** `app show` */
  readonly path: string;
  readonly summary: string;
  readonly commands: readonly string[];
  readonly options: readonly OptionNode[];
  /** Words that its argument may be. */
  readonly choices: readonly string[];
  readonly values: ValueKind;
};

export type OptionNode = {
  readonly flag: string;
  readonly summary: string;
  readonly takesValue: boolean;
  /** Of its value; empty: anything. */
  readonly choices: readonly string[];
};

/** Every command of the tree, parents first. */
export function commandNodes(command: Command, path: readonly string[] = []): readonly CommandNode[] {
  const commands = command.commands.filter((child) => child.name() !== 'help');
  const options = command.options.filter((option) => option.long !== undefined && !isHidden(option));
  const own: CommandNode = {
    path: path.join(' '),
    summary: command.description(),
    commands: commands.map((child) => child.name()),
    options: options.map((option) => ({
      flag: option.long ?? '',
      summary: option.description,
      takesValue: option.required,
      choices: option.argChoices ?? [],
    })),
    choices: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
    values: valuesOf(command),
  };
  return [own, ...commands.flatMap((child) => commandNodes(child, [...path, child.name()]))];
}

/** The options of the program are hidden where they are repeated, yet they are worth completing there too. */
function isHidden({ hidden, long }: { hidden: boolean; long?: string | undefined }): boolean {
  return hidden && !['--master', '--lab', '--json'].includes(long ?? '');
}

const kinds: Readonly<Record<string, ValueKind>> = {
  app: 'apps',
  deployment: 'deployments',
  task: 'tasks',
  file: 'files',
  changes: 'files',
};

function valuesOf({ registeredArguments }: Command): ValueKind {
  const kind = registeredArguments
    .map((argument) => kinds[argument.name()])
    .find((found) => found !== undefined);
  return kind ?? 'none';
}
