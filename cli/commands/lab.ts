import { type Command, Option } from 'commander';
import type { Lab } from '../../conformance/lab/lab.ts';
import { defaultLab, type Globals, group, leaf, print, printJson } from '../globals.ts';
import { labFolder } from '../lab/place.ts';
import { edgePorts, type Role, roles } from '../lab/roles.ts';
import { wholeNumber } from '../options/numbers.ts';

export function register(program: Command): void {
  const lab = group(
    program,
    'lab',
    'a cluster of several hosts in network namespaces of this machine (needs root)',
  );
  leaf(
    lab,
    'up',
    'build hosts and start Weir on them: master on the first, edge on the last, an agent on each',
  )
    .option('--hosts <n>', 'how many', wholeNumber, 3)
    .option('--subnet <cidr>', 'addresses of the hosts, within 100.64.0.0/10 (default 100.127.0.0/24)')
    .action(up);
  leaf(lab, 'status', 'hosts, processes, and what the master knows of them').action(status);
  leaf(lab, 'exec', 'run a program on a host: weir lab exec h2 -- ip route')
    .argument('<host>')
    .argument('<command...>')
    .passThroughOptions()
    .action(exec);
  role(leaf(lab, 'kill', 'kill -9 the agent of a host; its containers go on'))
    .argument('<host>')
    .action(kill);
  role(leaf(lab, 'start', 'start a process again that was killed'))
    .argument('<host>')
    .action(start);
  leaf(lab, 'cut', "take a host's cable out").argument('<host>').action(cut);
  leaf(lab, 'heal', 'plug it in again').argument('<host>').action(heal);
  leaf(lab, 'down', 'remove everything the lab made, also after a crash').action(down);
}

function role(command: Command): Command {
  return command.addOption(new Option('--what <process>', 'which').choices([...roles]).default('agent'));
}

function nameOf(command: Command): string {
  return command.optsWithGlobals<Globals>().lab ?? defaultLab;
}

async function opened(command: Command): Promise<Lab> {
  const { openLab } = await import('../../conformance/lab/lab.ts');
  return openLab(labFolder(nameOf(command)));
}

async function up(options: { hosts: number; subnet?: string }, command: Command): Promise<void> {
  const { labUp } = await import('../lab/up.ts');
  const { labStatus, statusTable } = await import('../lab/status.ts');
  const name = nameOf(command);
  const lab = await labUp({ name, ...options });
  const hosts = await labStatus(lab);
  if (command.optsWithGlobals<Globals>().json === true) return printJson(hosts);
  print(`${statusTable(hosts)}\n\n${whatToTry(lab)}`);
}

function whatToTry({ plan, hosts }: Lab): string {
  const flag = plan.name === defaultLab ? '--lab' : `--lab=${plan.name}`;
  const own = plan.name === defaultLab ? '' : ` ${flag}`;
  const last = hosts.at(-1)!;
  return `Try:
  ./weir ${flag} app add examples/hello.json
  ./weir ${flag} app list
  ./weir lab${own} exec ${hosts[0]!.name} -- curl -H 'Host: hello.localhost' http://${last.address}:${edgePorts.http}/
  ./weir lab${own} exec ${last.name} -- dig @127.0.0.1 -p 10053 +short hello.weir
  ./weir lab${own} kill ${last.name}; ./weir lab${own} status; ./weir lab${own} start ${last.name}
  ./weir lab${own} down
Everything of the lab is in ${plan.dir}.`;
}

async function status(_options: object, command: Command): Promise<void> {
  const { labStatus, statusTable } = await import('../lab/status.ts');
  const hosts = await labStatus(await opened(command));
  if (command.optsWithGlobals<Globals>().json === true) return printJson(hosts);
  print(statusTable(hosts));
}

async function exec(host: string, argv: string[], _options: object, command: Command): Promise<void> {
  const { runOnHost } = await import('../lab/enter.ts');
  const lab = await opened(command);
  // Commander leaves the `--` that ends our own options to those who pass options through.
  const program = argv[0] === '--' ? argv.slice(1) : argv;
  process.exitCode = await runOnHost(lab.host(host), program);
}

async function kill(host: string, { what }: { what: Role }, command: Command): Promise<void> {
  await (await opened(command)).kill(host, what);
  print(`the ${what} on ${host} is killed; start it again with: weir lab start ${host} --what ${what}`);
}

async function start(host: string, { what }: { what: Role }, command: Command): Promise<void> {
  const { pid } = await (await opened(command)).startAgain(host, what);
  print(`the ${what} on ${host} runs as ${pid}`);
}

async function cut(host: string, _options: object, command: Command): Promise<void> {
  await (await opened(command)).cut(host);
  print(`${host} is cut off; weir lab heal ${host}`);
}

async function heal(host: string, _options: object, command: Command): Promise<void> {
  await (await opened(command)).heal(host);
  print(`${host} is connected again`);
}

async function down(_options: object, command: Command): Promise<void> {
  const { labDown } = await import('../lab/down.ts');
  const name = nameOf(command);
  await labDown({ name, dir: labFolder(name) });
  print(`lab ${name} is gone`);
}
