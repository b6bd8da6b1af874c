import type { Command } from 'commander';
import { readText } from '../app/definition.ts';
import { group, leaf, print, printJson, sessionOf } from '../globals.ts';
import type { TextTemplate } from '../master/answers.ts';

/** `dcos edgelb template`: the text that a pool's HAProxy would be configured by there. */
export function registerTextTemplates(pool: Command): void {
  const templates = group(
    pool,
    'template',
    "text of a pool's HAProxy configuration: kept, never carried out",
  );
  leaf(templates, 'show', "show a pool's text").argument('<pool>').action(show);
  for (const name of ['create', 'update'])
    leaf(templates, name, 'keep a text with a pool')
      .argument('<pool>')
      .argument('<file>', '- is standard input')
      .action(keep);
  leaf(templates, 'delete', 'keep no text with a pool').argument('<pool>').action(remove);
}

async function show(name: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.get<TextTemplate>(pathOf(name));
  if (json) return printJson(answer);
  print(answer.text.trimEnd());
}

async function keep(name: string, file: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const text = await readText(file);
  const answer = await master.send<TextTemplate>('PUT', pathOf(name), { body: { text } });
  if (json) return printJson(answer);
  print(`the text is kept with pool ${name}\n${answer.note}`);
}

async function remove(name: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  await master.send('DELETE', pathOf(name));
  if (json) return printJson(null);
  print(`no text is kept with pool ${name}`);
}

function pathOf(name: string): string {
  return `/v1/pools/${encodeURIComponent(name)}/template`;
}
