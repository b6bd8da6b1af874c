import type { Command } from 'commander';
import { appId } from '../app/id.ts';
import { group, leaf, print, printJson, sessionOf } from '../globals.ts';
import type { RouteInfo, RoutesAnswer } from '../master/answers.ts';
import { wholeNumber } from '../numbers.ts';
import { table } from '../show/table.ts';
import { count } from '../show/words.ts';

export function register(program: Command): void {
  const route = group(program, 'route', 'give apps a public host name');
  leaf(route, 'add', 'send requests for a host name to an app')
    .argument('<host>', 'such as shop.example.org or *.example.org')
    .argument('<app>')
    .option('--path <prefix>', 'only requests below this path', '/')
    .option('--port-index <n>', 'which of the ports of the app, from 0', wholeNumber, 0)
    .action(add);
  leaf(route, 'list', 'list public routes, declared here or by labels of apps').action(list);
  leaf(route, 'rm', 'remove a route that was added with "weir route add"')
    .argument('<route>', 'host name, with the path if it has one: shop.example.org/api')
    .action(remove);
}

async function add(
  host: string,
  app: string,
  options: { path: string; portIndex: number },
  command: Command,
): Promise<void> {
  const { master, json } = sessionOf(command);
  const body = { host, app: appId(app), path: options.path, portIndex: options.portIndex };
  const record = await master.send<RouteInfo>('POST', '/v1/routes', { body });
  if (json) return printJson(record);
  print(
    `${record.host}${record.pathPrefix} goes to ${record.service.appId}, port index ${record.service.portIndex}`,
  );
}

async function list(_options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.get<RoutesAnswer>('/v1/routes');
  if (json) return printJson(answer);
  if (answer.routes.length === 0) return print('No routes yet. Add one with: weir route add HOST APP');
  print(`${routeTable(answer.routes)}\n\n${inForceText(answer)}`);
}

async function remove(given: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const [host = '', ...path] = given.toLowerCase().startsWith('route:')
    ? given.slice(6).split('/')
    : given.split('/');
  const id = [host.toLowerCase(), ...path].join('/').replace(/\/$/, '');
  await master.send('DELETE', `/v1/routes/${encodeURI(id)}`);
  if (json) return printJson(null);
  print(`${id} is removed`);
}

function routeTable(routes: readonly RouteInfo[]): string {
  return table<RouteInfo>(
    [
      { head: 'HOST', of: (route) => route.host },
      { head: 'PATH', of: (route) => route.pathPrefix },
      { head: 'APP', of: (route) => route.service.appId },
      { head: 'PORT', right: true, of: (route) => String(route.service.portIndex) },
      { head: 'ENDPOINTS', right: true, of: (route) => String(route.endpoints) },
      { head: 'DECLARED BY', of: (route) => ownerText(route.owner) },
    ],
    routes.toSorted((a, b) => (a.host + a.pathPrefix < b.host + b.pathPrefix ? -1 : 1)),
  );
}

function ownerText(owner: string): string {
  return owner.startsWith('app:') ? `labels of ${owner.slice('app:'.length)}` : 'weir route';
}

function inForceText({ revision, edges, inForce }: RoutesAnswer): string {
  if (edges === 0) return 'No edge runs: start one with "weir agent --edge".';
  return `Revision ${revision} is in force on ${inForce} of ${count(edges, 'edge')}.`;
}
