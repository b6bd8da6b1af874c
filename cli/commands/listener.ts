import type { Command } from 'commander';
import { readDefinition } from '../app/definition.ts';
import { appId } from '../app/id.ts';
import { group, leaf, print, printJson, sessionOf } from '../globals.ts';
import type { ListenerAnswer, ListenerInfo, ListenerOnEdgeInfo, ListenersAnswer } from '../master/answers.ts';
import { wholeNumber } from '../options/numbers.ts';
import { inForceText } from '../show/in-force.ts';
import { table } from '../show/table.ts';
import { UsageError } from '../usage-error.ts';

export function register(program: Command): void {
  const listener = group(program, 'listener', 'open further public ports on every edge');
  leaf(listener, 'add', 'open a port, for an app or for routes')
    .argument('[name]', 'what to call it')
    .option('--port <port>', 'from 1 to 65535, or 0 for any free one of each edge', wholeNumber)
    .option('--protocol <protocol>', 'http, https, tcp, tls-passthrough or udp', 'tcp')
    .option('--address <ip>', 'default: where the edge serves HTTP')
    .option('--app <app>', 'all that comes goes to this app')
    .option('--port-index <n>', 'which of the ports of the app, from 0', wholeNumber)
    .option('--file <file>', 'a definition with everything a listener can say (- is standard input)')
    .option('--replace', 'take the place of the listener of the same name')
    .action(add);
  leaf(listener, 'list', 'list listeners, and on how many edges they are open').action(list);
  leaf(listener, 'show', 'show one listener and what became of it on each edge')
    .argument('<name>')
    .action(show);
  leaf(listener, 'rm', 'close a port that was opened with "weir listener add"')
    .argument('<name>')
    .action(remove);
}

type AddOptions = {
  readonly port?: number;
  readonly protocol: string;
  readonly address?: string;
  readonly app?: string;
  readonly portIndex?: number;
  readonly file?: string;
  readonly replace?: boolean;
};

async function add(name: string | undefined, options: AddOptions, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const body = await definitionOf(name, options);
  const added = options.replace
    ? await master.send<Definition>('PUT', pathOf(body.name), { body })
    : await master.send<Definition>('POST', '/v1/listeners', { body });
  if (json) return printJson(added);
  const to = added.app === undefined ? 'its routes' : added.app;
  print(`${added.name}: ${added.protocol} port ${added.port} goes to ${to}`);
}

type Definition = {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly app?: string;
};

async function definitionOf(
  name: string | undefined,
  { file, port, protocol, address, app, portIndex }: AddOptions,
): Promise<Definition> {
  if (file !== undefined && name === undefined) return (await readDefinition(file)) as unknown as Definition;
  if (file !== undefined || name === undefined || port === undefined)
    throw new UsageError('weir listener add takes a name and --port PORT, or --file FILE');
  return {
    name,
    port,
    protocol,
    ...(address !== undefined && { address }),
    ...(app !== undefined && { app: appId(app) }),
    ...(portIndex !== undefined && { portIndex }),
  };
}

async function list(_options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.get<ListenersAnswer>('/v1/listeners');
  if (json) return printJson(answer);
  const faults = answer.faults.map(faultText);
  if (answer.listeners.length === 0 && faults.length === 0)
    return print(
      'No listeners but those the edges were started with. Add one with: weir listener add NAME --port PORT',
    );
  const told = faults.length === 0 ? '' : `\n\n${faults.join('\n')}`;
  print(`${listenerTable(answer.listeners)}${told}\n\n${inForceText(answer)}`);
}

async function show(name: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.get<ListenerAnswer>(pathOf(name));
  if (json) return printJson(answer);
  const { definition, listener, faults } = answer;
  const { edges = [], ...plain } = listener ?? {};
  print(JSON.stringify(definition ?? plain, null, 2));
  for (const one of edges) print(edgeText(one));
  for (const fault of faults) print(faultText(fault));
  print(`\n${inForceText(answer)}`);
}

async function remove(name: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  await master.send('DELETE', pathOf(name));
  if (json) return printJson(null);
  print(`${name} is removed`);
}

/** `edge1: open: 0.0.0.0:5432; the kernel carries its connections`. */
function edgeText({ edge, state, at, problem, kernel, because }: ListenerOnEdgeInfo): string {
  const place = [edge, state, at ?? problem].filter((one) => one !== undefined).join(': ');
  if (because !== undefined) return `${place}; processes carry its connections: ${because}`;
  if (kernel === undefined) return place;
  const masked = kernel.masquerades;
  const seen =
    masked.length === 0
      ? 'endpoints see the addresses of clients'
      : `${masked.join(', ')} ${masked.length === 1 ? 'sees' : 'see'} the address of the edge, because answers would not come back here`;
  const except = kernel.except === undefined ? '' : `; processes carry ${kernel.except}`;
  return `${place} (kernel): ${seen}${except}`;
}

function faultText({ listener, effect, reason }: ListenersAnswer['faults'][number]): string {
  return `${listener}: ${effect}: ${reason}`;
}

function listenerTable(listeners: readonly ListenerInfo[]): string {
  return table<ListenerInfo>(
    [
      { head: 'NAME', of: ({ id }) => id },
      { head: 'PROTOCOL', of: ({ protocol }) => protocol },
      { head: 'ADDRESS', of: ({ address }) => address ?? '-' },
      { head: 'PORT', right: true, of: ({ port }) => String(port) },
      { head: 'ROUTES', right: true, of: ({ routes }) => String(routes) },
      { head: 'STATE', of: ({ state }) => state },
      { head: 'DECLARED BY', of: ({ owner }) => owner },
    ],
    listeners.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  );
}

function pathOf(name: string): string {
  return `/v1/listeners/${encodeURIComponent(name)}`;
}
