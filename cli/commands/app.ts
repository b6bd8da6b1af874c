import { access } from 'node:fs/promises';
import type { Command } from 'commander';
import { type ChangeOptions, follow } from '../app/change.ts';
import { parseAssignments, readDefinition } from '../app/definition.ts';
import { appId } from '../app/id.ts';
import { appTable } from '../app/list.ts';
import { appPage } from '../app/show.ts';
import { readQueue } from '../app/waiting.ts';
import { changing } from '../changing.ts';
import { readDeployments } from '../deployment/wait.ts';
import { group, leaf, print, printJson, sessionOf } from '../globals.ts';
import type { Accepted, AppInfo, NodeInfo } from '../master/answers.ts';
import { wholeNumber } from '../options/numbers.ts';
import { UsageError } from '../usage-error.ts';

export function register(program: Command): void {
  const app = group(program, 'app', 'add, look at, change and remove apps');
  changing(leaf(app, 'add', 'add an app from a JSON definition and wait until it runs'))
    .argument('<file>', 'the definition; - for standard input')
    .action(add);
  leaf(app, 'list', 'list all apps')
    .option('--label <selector>', 'only apps whose labels match, such as tier==web,team in (a,b)')
    .action(list);
  leaf(app, 'show', 'show an app: definition, instances, last failure, why it waits')
    .argument('<app>')
    .action(show);
  changing(leaf(app, 'scale', 'change how many instances an app has'))
    .argument('<app>')
    .argument('<instances>', 'how many', wholeNumber)
    .action(scale);
  changing(leaf(app, 'update', 'change fields of an app; instances are replaced without a lost request'))
    .argument('<app>')
    .argument(
      '<changes...>',
      'a JSON file, - for standard input, or key=value such as cpus=0.5 env.LEVEL=debug',
    )
    .action(update);
  changing(leaf(app, 'restart', 'replace all instances by new ones'))
    .argument('<app>')
    .action(restart);
  changing(leaf(app, 'rm', 'remove an app'))
    .argument('<app>')
    .action(remove);
  leaf(app, 'versions', 'list the versions of an app, or show one')
    .argument('<app>')
    .argument('[version]', 'go back to it with: weir app update APP version=VERSION')
    .action(versions);
}

async function add(file: string, options: ChangeOptions, command: Command): Promise<void> {
  const session = sessionOf(command);
  const body = await readDefinition(file);
  const query = { force: options.force };
  const created = await session.master.send<AppInfo & Accepted>('POST', '/v2/apps', { query, body });
  await follow(session, created, {
    change: { app: created.id, done: 'is deployed', leaves: 'app' },
    options,
  });
}

async function list(options: { label?: string }, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const query = { label: options.label };
  if (json) return printJson(await master.get('/v2/apps', { query }));
  const [{ apps }, queue] = await Promise.all([
    master.get<{ apps: readonly AppInfo[] }>('/v2/apps', { query }),
    readQueue(master),
  ]);
  if (apps.length > 0) return print(appTable(apps, queue));
  print(options.label === undefined ? 'No apps yet. Add one with: weir app add FILE' : 'No app matches.');
}

async function show(app: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const id = appId(app);
  const answer = await master.get<{ app: AppInfo }>(`/v2/apps${id}`);
  if (json) return printJson(answer);
  const [queue, deployments, { nodes }] = await Promise.all([
    readQueue(master),
    readDeployments(master),
    master.get<{ nodes: readonly NodeInfo[] }>('/v1/nodes'),
  ]);
  const own = deployments.filter(({ affectedApps }) => affectedApps.includes(id));
  print(appPage({ app: answer.app, waiting: queue.get(id), deployments: own, nodes, now: Date.now() }));
}

async function scale(
  app: string,
  instances: number,
  options: ChangeOptions,
  command: Command,
): Promise<void> {
  const session = sessionOf(command);
  const id = appId(app);
  const query = { force: options.force };
  const accepted = await session.master.send<Accepted>('PATCH', `/v2/apps${id}`, {
    query,
    body: { instances },
  });
  await follow(session, accepted, { change: { app: id, done: 'is scaled', leaves: 'app' }, options });
}

async function update(app: string, words: string[], options: ChangeOptions, command: Command): Promise<void> {
  const session = sessionOf(command);
  const id = appId(app);
  const current = async () => ({ ...(await session.master.get<{ app: AppInfo }>(`/v2/apps${id}`)).app });
  const body = (await isFile(words))
    ? await readDefinition(words[0]!)
    : await parseAssignments(words, current);
  const query = { force: options.force };
  const accepted = await session.master.send<Accepted>('PATCH', `/v2/apps${id}`, { query, body });
  await follow(session, accepted, { change: { app: id, done: 'is updated', leaves: 'app' }, options });
}

/** A name with `=` in it is taken for a file only if there is one. */
async function isFile([first = '', ...more]: readonly string[]): Promise<boolean> {
  const exists =
    first === '-' ||
    (await access(first).then(
      () => true,
      () => false,
    ));
  if (exists && more.length > 0) throw new UsageError('Give one file, or key=value words, not both');
  return exists || !first.includes('=');
}

async function restart(app: string, options: ChangeOptions, command: Command): Promise<void> {
  const session = sessionOf(command);
  const id = appId(app);
  const query = { force: options.force };
  const accepted = await session.master.send<Accepted>('POST', `/v2/apps${id}/restart`, { query });
  await follow(session, accepted, { change: { app: id, done: 'is restarted', leaves: 'app' }, options });
}

/** Marathon forces here unless told otherwise; a person is asked to say so. */
async function remove(app: string, options: ChangeOptions, command: Command): Promise<void> {
  const session = sessionOf(command);
  const id = appId(app);
  const query = { force: options.force ?? false };
  const accepted = await session.master.send<Accepted>('DELETE', `/v2/apps${id}`, { query });
  await follow(session, accepted, { change: { app: id, done: 'is removed', leaves: 'nothing' }, options });
}

async function versions(
  app: string,
  version: string | undefined,
  _options: object,
  command: Command,
): Promise<void> {
  const { master, json } = sessionOf(command);
  const id = appId(app);
  if (version !== undefined)
    return printJson(await master.get(`/v2/apps${id}/versions/${encodeURIComponent(version)}`));
  const answer = await master.get<{ versions: readonly string[] }>(`/v2/apps${id}/versions`);
  if (json) return printJson(answer);
  print(answer.versions.join('\n'));
}
