import { Command } from 'commander';
import { commandList } from './command-list.ts';
import { withGlobals } from './globals.ts';

const version = '0.1.0';

/** The command line with the module of the named command, or of all. The others are there by name only, for the help. */
export async function createProgram(load: 'all' | (string | undefined)): Promise<Command> {
  const program = withGlobals(new Command('weir'), { shown: true })
    .description('Edge load balancer, service discovery and container orchestration in one product.')
    .version(version)
    // Options before a command are the program's, those after it the command's: `weir agent --master` is not ours to take.
    .enablePositionalOptions()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeErr: (text) => process.stderr.write(text) })
    .exitOverride();
  const wanted = commandList.filter(({ name }) => load === 'all' || load === name);
  const modules = new Set(await Promise.all(wanted.map((command) => command.load())));
  for (const { register } of modules) register(program);
  const known = new Set(program.commands.map((command) => command.name()));
  for (const { name, summary } of commandList)
    if (!known.has(name)) program.command(name).description(summary);
  return program;
}
