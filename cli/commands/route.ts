import type { Command } from 'commander';
import { readDefinition } from '../app/definition.ts';
import { appId } from '../app/id.ts';
import { group, leaf, print, printJson, sessionOf } from '../globals.ts';
import type {
  RouteAnswer,
  RouteFaultInfo,
  RouteInfo,
  RoutesAnswer,
  RouteWhyAnswer,
} from '../master/answers.ts';
import { wholeNumber } from '../options/numbers.ts';
import { inForceText } from '../show/in-force.ts';
import { table } from '../show/table.ts';
import { UsageError } from '../usage-error.ts';

export function register(program: Command): void {
  const route = group(program, 'route', 'give apps a public host name');
  leaf(route, 'add', 'send requests for a host name to an app')
    .argument('[host]', 'such as shop.example.org or *.example.org')
    .argument('[app]')
    .option('--path <prefix>', 'only requests below this path', '/')
    .option('--port-index <n>', 'which of the ports of the app, from 0', wholeNumber, 0)
    .option(
      '--file <file>',
      'a definition with everything a route can say, instead of host and app (- is standard input)',
    )
    .option('--replace', 'take the place of the route of the same id')
    .action(add);
  leaf(route, 'list', 'list public routes, declared here or by labels of apps').action(list);
  leaf(route, 'show', 'show one route, what it leads to, and what is wrong with it')
    .argument('<route>', 'host name with path, or the id that "weir route list --json" shows')
    .action(show);
  leaf(route, 'why', 'walk the way of a request through the edge, to the first thing that is wrong')
    .argument('<url>', 'such as https://shop.example.org/api')
    .option('--method <method>', 'default: GET')
    .option('--header <line>', "'Name: value'; may be repeated", (line, before: string[] = []) => [
      ...before,
      line,
    ])
    .option('--client <address>', 'who asks; default: 127.0.0.1')
    .action(why);
  leaf(route, 'rm', 'remove a route that was added with "weir route add"')
    .argument('<route>', 'host name, with the path if it has one: shop.example.org/api')
    .action(remove);
}

type AddOptions = {
  readonly path: string;
  readonly portIndex: number;
  readonly file?: string;
  readonly replace?: boolean;
};

async function add(
  host: string | undefined,
  app: string | undefined,
  options: AddOptions,
  command: Command,
): Promise<void> {
  const { master, json } = sessionOf(command);
  const body = await definitionOf(host, app, options);
  const { id = defaultId(body) } = body;
  const record = options.replace
    ? await master.send<RouteInfo>('PUT', `/v1/routes/${encodeURI(id)}`, { body })
    : await master.send<RouteInfo>('POST', '/v1/routes', { body });
  if (json) return printJson(record);
  print(
    `${record.host}${record.pathPrefix} goes to ${record.service.appId}, port index ${record.service.portIndex}`,
  );
}

type Definition = {
  readonly id?: string;
  readonly host?: string;
  readonly path?: string;
  readonly app?: string;
  readonly portIndex?: number;
};

async function definitionOf(
  host: string | undefined,
  app: string | undefined,
  { file, path, portIndex }: AddOptions,
): Promise<Definition> {
  if (file !== undefined && host === undefined) return await readDefinition(file);
  if (file !== undefined || host === undefined || app === undefined)
    throw new UsageError('weir route add takes a host and an app, or --file FILE');
  return { host, app: appId(app), path, portIndex };
}

function defaultId({ host = '', path = '/' }: Definition): string {
  return path === '/' ? host.toLowerCase() : `${host.toLowerCase()}${path}`;
}

async function show(given: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.get<RouteAnswer>(`/v1/routes/${encodeURI(plainId(given))}`);
  if (json) return printJson(answer);
  const { definition, route, endpoints = [], faults } = answer;
  print(JSON.stringify(definition ?? route, null, 2));
  for (const { instanceId, agentId, addresses } of endpoints)
    print(`endpoint ${addresses.join(' ')}  ${instanceId} on ${agentId}`);
  for (const fault of faults) print(faultText(fault));
  print(`\n${inForceText(answer)}`);
}

async function list(_options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.get<RoutesAnswer>('/v1/routes');
  if (json) return printJson(answer);
  if (answer.routes.length === 0 && (answer.faults ?? []).length === 0)
    return print('No routes yet. Add one with: weir route add HOST APP');
  const faults = (answer.faults ?? []).map(faultText);
  const told = faults.length === 0 ? '' : `\n\n${faults.join('\n')}`;
  print(`${routeTable(answer.routes)}${told}\n\n${inForceText(answer)}`);
}

type WhyOptions = { readonly method?: string; readonly header?: readonly string[]; readonly client?: string };

async function why(
  url: string,
  { method, header = [], client }: WhyOptions,
  command: Command,
): Promise<void> {
  const { master, json } = sessionOf(command);
  const query = new URLSearchParams({ url, ...(method && { method }), ...(client && { client }) });
  for (const line of header) query.append('header', line);
  const answer = await master.get<RouteWhyAnswer>(`/v1/edge/why?${query}`);
  if (json) return printJson(answer);
  print(answer.edges.map(wayText).join('\n\n'));
}

function wayText({ edge, links }: RouteWhyAnswer['edges'][number]): string {
  const lines = links.flatMap(({ link, ok, says, next }) => [
    `${ok ? '  ' : '! '}${link.padEnd(12)} ${says}`,
    ...(next === undefined ? [] : [`  ${''.padEnd(12)} ${next}`]),
  ]);
  const end = links.every(({ ok }) => ok) ? ['nothing is wrong on the way to the app'] : [];
  return [...(edge === '' ? [] : [`edge ${edge}`]), ...lines, ...end].join('\n');
}

async function remove(given: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const id = plainId(given);
  await master.send('DELETE', `/v1/routes/${encodeURI(id)}`);
  if (json) return printJson(null);
  print(`${id} is removed`);
}

/** As the master knows it: without `route:`, the host in small letters. Ids of routes by labels stay as they are. */
function plainId(given: string): string {
  if (given.startsWith('app:')) return given;
  const [host = '', ...path] = given.replace(/^route:/i, '').split('/');
  return [host.toLowerCase(), ...path].join('/').replace(/\/$/, '');
}

function faultText({ app, route, label, effect, reason }: RouteFaultInfo): string {
  const what = [app, label ?? route].filter((one) => one !== undefined).join(' ');
  return `${what}: ${effect}: ${reason}`;
}

function routeTable(routes: readonly RouteInfo[]): string {
  return table<RouteInfo>(
    [
      { head: 'HOST', of: (route) => route.host },
      { head: 'PATH', of: pathText },
      { head: 'APP', of: (route) => route.service.appId },
      { head: 'PORT', right: true, of: (route) => String(route.service.portIndex) },
      { head: 'ENDPOINTS', right: true, of: (route) => String(route.endpoints) },
      { head: 'DECLARED BY', of: (route) => ownerText(route.owner) },
    ],
    routes.toSorted((a, b) => (a.host + a.pathPrefix < b.host + b.pathPrefix ? -1 : 1)),
  );
}

function pathText({ pathPrefix, pathKind, conditions }: RouteInfo): string {
  const kind = pathKind === undefined ? '' : ` (${pathKind})`;
  return `${pathPrefix}${kind}${conditions === undefined ? '' : ' and more'}`;
}

function ownerText(owner: string): string {
  return owner.startsWith('app:') ? `labels of ${owner.slice('app:'.length)}` : 'weir route';
}
