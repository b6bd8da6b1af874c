import type { Command } from 'commander';
import { group, leaf, print, printJson, sessionOf } from '../globals.ts';
import type { AutoTemplate, AutoTemplateStatus } from '../master/answers.ts';
import { table } from '../show/table.ts';
import { parseYamlObject } from './definition.ts';

/** `dcos edgelb pool-template`: what apps with `edgelb.` labels are put into. */
export function registerAutoTemplates(pool: Command): void {
  const templates = group(pool, 'auto-template', 'templates of the pools that labels of apps make').alias(
    'pool-template',
  );
  leaf(templates, 'list', 'list templates').action(list);
  leaf(templates, 'create', 'make a template; apps join by the label edgelb.template')
    .argument('<name>')
    .argument('[file]', 'what is the same in its pool whatever apps say, JSON or YAML (- is standard input)')
    .action(create);
  leaf(templates, 'update', 'change what a template says')
    .argument('<name>')
    .argument('<file>', 'JSON or YAML (- is standard input)')
    .action(update);
  leaf(templates, 'reset', 'have a template say nothing of its own').argument('<name>').action(reset);
  leaf(templates, 'show', 'show a template').argument('<name>').action(show);
  leaf(templates, 'status', 'show what became of a template: whether apps are in its pool, and which are not')
    .argument('<name>')
    .action(status);
  leaf(templates, 'delete', 'take a template away, and the pool that is made of it')
    .argument('<name>')
    .action(remove);
}

const path = '/service/edgelb/v2/poolTemplates';

async function list(_options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const templates = await master.get<readonly AutoTemplate[]>(path);
  if (json) return printJson(templates);
  print(table([{ head: 'NAME', of: ({ name }: AutoTemplate) => name }], templates));
}

async function create(
  name: string,
  file: string | undefined,
  _options: object,
  command: Command,
): Promise<void> {
  const { master, json } = sessionOf(command);
  const body = { ...(file === undefined ? {} : await parseYamlObject(file)), name };
  const made = await master.send<AutoTemplate>('POST', path, { body });
  if (json) return printJson(made);
  print(`template ${name} is created; see: weir pool auto-template status ${name}`);
}

async function update(name: string, file: string, _options: object, command: Command): Promise<void> {
  return replace(name, await parseYamlObject(file), command);
}

async function reset(name: string, _options: object, command: Command): Promise<void> {
  return replace(name, {}, command);
}

async function replace(name: string, definition: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const stored = await master.send<AutoTemplate>('PUT', pathOf(name), { body: { ...definition, name } });
  if (json) return printJson(stored);
  print(`template ${name} is updated`);
}

async function show(name: string, _options: object, command: Command): Promise<void> {
  const { master } = sessionOf(command);
  printJson(await master.get<AutoTemplate>(pathOf(name)));
}

async function status(name: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.get<AutoTemplateStatus>(`${pathOf(name)}/status`);
  if (json) return printJson(answer);
  print(answer.message === '' ? answer.status : `${answer.status}\n${answer.message.replaceAll('; ', '\n')}`);
}

async function remove(name: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  await master.send('DELETE', pathOf(name));
  if (json) return printJson(null);
  print(`template ${name} is deleted`);
}

function pathOf(name: string): string {
  return `${path}/${encodeURIComponent(name)}`;
}
