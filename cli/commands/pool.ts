import type { Command } from 'commander';
import { group, leaf, print, printJson, sessionOf } from '../globals.ts';
import type { PoolAnswer, PoolMetadata, PoolNoteInfo, PoolsAnswer, StoredPool } from '../master/answers.ts';
import { registerAutoTemplates } from '../pool/auto-templates.ts';
import { parseYaml } from '../pool/definition.ts';
import { endpointTable, poolTable, statusText } from '../pool/tables.ts';
import { registerTextTemplates } from '../pool/text-templates.ts';
import { inForceText } from '../show/in-force.ts';

export function register(program: Command): void {
  const pool = group(program, 'pool', 'Edge-LB pools: frontends, backends and rules in one file');
  leaf(pool, 'create', 'put a pool in force on every edge')
    .argument('<file>', 'JSON or YAML (- is standard input)')
    .action(create);
  leaf(pool, 'update', 'put a changed pool in force')
    .argument('<file>', 'JSON or YAML (- is standard input)')
    .action(update);
  leaf(pool, 'list', 'list pools, and on how many edges they are open').action(list);
  leaf(pool, 'show', 'show the definition of a pool, with its defaults').argument('<name>').action(show);
  leaf(pool, 'status', 'show what became of a pool: its ports, its servers, and what of it does nothing')
    .argument('<name>')
    .action(status);
  leaf(pool, 'endpoints', 'list where a pool is reached').argument('<name>').action(endpoints);
  leaf(pool, 'metadata', "show a pool's metadata, as Edge-LB's clients read it")
    .argument('<name>')
    .action(metadata);
  leaf(pool, 'lb-config', 'show a pool as the configuration of HAProxy would say it')
    .alias('lbconfig')
    .argument('<name>')
    .action(lbConfig);
  leaf(pool, 'delete', 'take a pool away').argument('<name>').action(remove);
  registerTextTemplates(pool);
  registerAutoTemplates(pool);
}

async function create(file: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const body = await parseYaml(file);
  const stored = await master.send<StoredPool>('POST', '/v1/pools', { body });
  if (json) return printJson(stored);
  print([`pool ${stored.name} is created`, ...noteTexts(stored.notes)].join('\n'));
}

async function update(file: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const body = await parseYaml(file);
  // Asked for first: one that is not there is not to be made by a slip of the pen.
  await master.get<PoolAnswer>(pathOf(body.name));
  const stored = await master.send<StoredPool>('PUT', pathOf(body.name), { body });
  if (json) return printJson(stored);
  print([`pool ${stored.name} is updated`, ...noteTexts(stored.notes)].join('\n'));
}

async function list(_options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.get<PoolsAnswer>('/v1/pools');
  if (json) return printJson(answer);
  if (answer.pools.length === 0) return print('No pools yet. Create one with: weir pool create FILE');
  print(`${poolTable(answer.pools)}\n\n${inForceText(answer)}`);
}

async function show(name: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.get<PoolAnswer>(pathOf(name));
  if (json) return printJson(answer.pool);
  print(JSON.stringify(answer.pool, null, 2));
}

async function status(name: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.get<PoolAnswer>(pathOf(name));
  if (json) return printJson(answer);
  print([statusText(answer), ...noteTexts(answer.notes), '', inForceText(answer)].join('\n'));
}

async function metadata(name: string, _options: object, command: Command): Promise<void> {
  const { master } = sessionOf(command);
  printJson(await master.get<PoolMetadata>(`${edgelbPath(name)}/metadata`));
}

async function endpoints(name: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.get<PoolMetadata>(`${edgelbPath(name)}/metadata`);
  if (json) return printJson(answer.frontends);
  print(endpointTable(answer));
}

async function lbConfig(name: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const { config } = await master.get<PoolAnswer>(pathOf(name));
  if (json) return printJson({ config });
  print(config.trimEnd());
}

async function remove(name: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  await master.send('DELETE', pathOf(name));
  if (json) return printJson(null);
  print(`pool ${name} is deleted`);
}

function noteTexts(notes: readonly PoolNoteInfo[]): readonly string[] {
  return notes.map(({ path, error }) => `${path}: ${error}`);
}

function edgelbPath(name: string): string {
  return `/service/edgelb/v2/pools/${encodeURIComponent(name)}`;
}

function pathOf(name: string): string {
  return `/v1/pools/${encodeURIComponent(name)}`;
}
