import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostsOf, LabError, type LabHost, type LabPlan } from '../../conformance/lab/names.ts';
import { defaults } from '../options/settings.ts';

export const masterPort = 8080;
export const mainFile = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Folder of a lab: below WEIR_LAB, else below `lab` in the data folder. */
export function labFolder(name: string): string {
  const base = process.env.WEIR_LAB ?? join(process.env.WEIR_DATA ?? defaults.data, 'lab');
  return join(resolve(base), name);
}

/** The host of the master. Read without loading the whole lab, since every `--lab` command passes here. */
export async function masterHost(name: string): Promise<LabHost> {
  const file = join(labFolder(name), 'lab.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined)
    throw new LabError('WEIR_LAB_MISSING', `There is no lab "${name}" (${file} does not exist)`, {
      next: 'Make one with "weir lab up --hosts 3".',
    });
  return hostsOf(JSON.parse(text) as LabPlan)[0]!;
}

export function masterUrl(host: LabHost): string {
  return `http://${host.address}:${masterPort}`;
}

/** How a command of ours is run by itself. */
export function weirCommand(...words: readonly string[]): readonly string[] {
  return [process.execPath, '--disable-warning=ExperimentalWarning', mainFile, ...words];
}
