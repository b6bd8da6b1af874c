import { commandWord } from './words.ts';

/** Names of the maps that change while HAProxy runs. */
export type MapName = 'exact' | 'prefix' | 'streams' | 'cookies' | 'challenges' | 'covered' | 'asked';

type Entries = ReadonlyMap<string, string>;

export function mapFile(map: MapName): string {
  return `${map}.map`;
}

export function mapText(entries: Entries): string {
  return [...entries].map(([key, value]) => `${key} ${value}\n`).join('');
}

/** Commands that make one of the other. */
export function mapCommands(map: MapName, before: Entries, after: Entries): readonly string[] {
  const file = mapFile(map);
  const commands: string[] = [];
  for (const [key, value] of after) {
    const known = before.get(key);
    if (known === undefined) commands.push(`add map ${file} ${commandWord(key)} ${commandWord(value)}`);
    else if (known !== value) commands.push(`set map ${file} ${commandWord(key)} ${commandWord(value)}`);
  }
  for (const key of before.keys()) if (!after.has(key)) commands.push(`del map ${file} ${commandWord(key)}`);
  return commands;
}
