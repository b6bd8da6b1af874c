import { Argument, type Command, Option } from 'commander';
import { leaf, print, sessionOf } from '../globals.ts';
import type { AppInfo, DeploymentInfo, TaskInfo } from '../master/answers.ts';
import type { Master } from '../master/master.ts';
import { UsageError } from '../usage-error.ts';

const values = {
  apps: async (master: Master) => (await master.get<{ apps: readonly AppInfo[] }>('/v2/apps')).apps,
  deployments: (master: Master) => master.get<readonly DeploymentInfo[]>('/v2/deployments'),
  tasks: async (master: Master) => (await master.get<{ tasks: readonly TaskInfo[] }>('/v2/tasks')).tasks,
};

export function register(program: Command): void {
  leaf(program, 'completion', 'print a script that completes commands in bash, zsh or fish')
    .addArgument(new Argument('[shell]').choices(['bash', 'zsh', 'fish']))
    .addOption(
      new Option('--values <kind>', 'ids that the master knows, one on a line')
        .choices(Object.keys(values))
        .hideHelp(),
    )
    .addHelpText('after', '\nFor bash, add to ~/.bashrc:  source <(weir completion bash)')
    .action(
      async (shell: string | undefined, options: { values?: keyof typeof values }, command: Command) => {
        if (options.values !== undefined) return printValues(options.values, command);
        if (shell === undefined) throw new UsageError('Name a shell: bash, zsh or fish');
        process.stdout.write(await script(shell));
      },
    );
}

async function printValues(kind: keyof typeof values, command: Command): Promise<void> {
  const { master } = sessionOf(command);
  const items = await values[kind](master);
  print(items.map(({ id }) => id).join('\n'));
}

async function script(shell: string): Promise<string> {
  const { createProgram } = await import('../program.ts');
  const { commandNodes } = await import('../completion/tree.ts');
  const nodes = commandNodes(await createProgram('all'));
  if (shell === 'bash') return (await import('../completion/bash.ts')).bashScript(nodes);
  if (shell === 'zsh') return (await import('../completion/zsh.ts')).zshScript(nodes);
  return (await import('../completion/fish.ts')).fishScript(nodes);
}
