import type { EdgeSettings } from '../../edge/settings.ts';
import { askScript, scriptFile } from './ask-script.ts';
import { closeSlot } from './backends.ts';
import { filesOf } from './certificate-changes.ts';
import { listText } from './certificate-files.ts';
import type { Certificates } from './certified.ts';
import { configurationText } from './configuration.ts';
import type { Door } from './doors.ts';
import type { Folder } from './folder.ts';
import { fileNames } from './frame.ts';
import { guiltyRules, guiltySlots } from './guilt.ts';
import type { Layout } from './layout.ts';
import { type MapName, mapFile, mapText } from './map-commands.ts';
import { HaproxyUnusable } from './process.ts';
import type { Processes } from './processes.ts';
import { scopeServed } from './scopes.ts';
import { sickServers } from './sick-servers.ts';
import type { OpenSocket } from './sockets.ts';

export type Rendering = Certificates & {
  readonly folder: Folder;
  readonly settings: EdgeSettings;
  readonly layout: Layout;
  readonly sockets: readonly OpenSocket[];
  /** Nobody has given a table yet. */
  readonly isEmpty: boolean;
  /** Takes what its log says; undefined: nobody does. */
  readonly onLine: ((line: string) => void) | undefined;
  readonly warn: (text: string) => void;
};

/**
 * Starts a process with a configuration that says all of this. What HAProxy refuses is closed and said, and the rest goes on. Throws
 * HaproxyUnusable when that does not help: then the present process goes on.
 */
export async function startRendered(rendering: Rendering, processes: Processes): Promise<void> {
  const { folder, sockets, onLine } = rendering;
  await noteSick(rendering, processes);
  for (;;) {
    const control = `control-${processes.started}.sock`;
    const text = await writeAll(rendering, control);
    try {
      await processes.replace({
        ...{ folder: folder.path, file: fileNames.configuration, control },
        ...{ sockets: sockets.map(({ fd }) => fd), onLine },
      });
      return;
    } catch (error) {
      const alerts = error instanceof HaproxyUnusable ? error.alerts : '';
      if (!isolated(rendering, alerts, text)) throw error;
    }
  }
}

/** Shuts out what HAProxy complains of; false when that is nobody's in particular. */
function isolated({ layout, warn }: Rendering, alerts: string, text: string): boolean {
  const slots = guiltySlots(alerts, text, layout.slots);
  for (const slot of slots) {
    warn(`HAProxy cannot carry out route ${slot.route?.id}, it is closed: ${alerts}`);
    closeSlot(slot);
  }
  if (slots.length > 0) return true;
  const silent = guiltyRules(alerts, text).flatMap((rule) => layout.silence(rule) ?? []);
  for (const id of silent) warn(`HAProxy cannot tell the rule of route ${id}, it takes nothing: ${alerts}`);
  return silent.length > 0;
}

async function noteSick({ folder, layout }: Rendering, processes: Processes): Promise<void> {
  const isChecked = layout.slots.some(({ shape }) => shape.checks);
  const [text = ''] = isChecked ? await processes.ask(['show servers state']).catch(() => []) : [];
  await folder.write([[fileNames.sick, sickServers(text)]]);
}

/** Gives the text of the configuration. */
async function writeAll(rendering: Rendering, control: string): Promise<string> {
  const { folder, settings, layout, lists, coverage, sockets, isEmpty } = rendering;
  const { maps, files, backends, facts, chains, isScripted, restricts } = layout.rendered();
  const doors = sockets.map(({ listener, number }, n): Door => {
    const scope = layout.scopeName(scopeServed(listener));
    return { listener, number, fd: n + 3, scope };
  });
  const { hasWildcards, asks } = layout;
  const frame = {
    settings,
    control,
    doors,
    isEmpty,
    hasWildcards,
    asks,
    isScripted,
    restricts,
    facts,
    chains,
    backends,
  };
  const text = configurationText(frame);
  await folder.write([
    [fileNames.configuration, text],
    [
      fileNames.scopes,
      doors.map(({ number, scope }) => (scope === '' ? '' : `${number} ${scope}\n`)).join(''),
    ],
    ...Object.entries(maps).map(([name, entries]) => [mapFile(name as MapName), entries] as const),
    ...[...lists].map(([list, listed]) => [list, listText(listed)] as const),
    ...(isScripted ? [[scriptFile, askScript] as const] : []),
    [mapFile('covered'), mapText(coverage)],
    ...[...filesOf(lists).values()].flatMap(({ name, pem, authorities }) => [
      [name, pem] as const,
      ...(authorities === undefined ? [] : [[authorities.name, authorities.text] as const]),
    ]),
    ...files.map(({ name, text: content }) => [name, content] as const),
  ]);
  return text;
}
