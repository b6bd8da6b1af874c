import { mapCommands } from './map-commands.ts';
import { type Server, serverWords, spareName, spareWords } from './sections.ts';
import type { Slot } from './slots.ts';

/** Commands that give a backend these servers. Those that go get nothing new from now on, and end what they have. */
export function changeServers(slot: Slot, wanted: ReadonlyMap<string, Server>): readonly string[] {
  const { servers: before } = slot;
  const [known, next] = [placesOf(before), placesOf(wanted)];
  const commands: string[] = [];
  for (const [name, place] of next) {
    const was = known.get(name);
    if (was === undefined) commands.push(...added(slot, place));
    else commands.push(...altered(`${slot.name}/${name}`, was.server, place.server));
  }
  const cookies = mapCommands('cookies', cookieEntries(slot, before), cookieEntries(slot, wanted));
  for (const name of known.keys()) if (!next.has(name)) commands.push(removed(slot, name));
  slot.servers = wanted;
  return [...commands.filter(isGiving), ...cookies, ...commands.filter((one) => !isGiving(one))];
}

/** Commands that say where a service is asked about its requests. */
export function changeAsked(slot: Slot, asked: string): readonly string[] {
  const commands = mapCommands('asked', askedEntries(slot), askedEntries({ ...slot, asked }));
  slot.asked = asked;
  return commands;
}

export function askedEntries({ name, asked }: Pick<Slot, 'name' | 'asked'>): ReadonlyMap<string, string> {
  return new Map(asked === '' ? [] : [[name, asked]]);
}

/** By what cookies say the server, and by the server what cookies say. */
export function cookieEntries(
  { name, shape }: Slot,
  servers: ReadonlyMap<string, Server>,
): ReadonlyMap<string, string> {
  if (shape.cookie === undefined) return new Map();
  return new Map(
    [...servers.values()].flatMap((server) => [
      [`${name}>${server.cookie}`, server.name],
      [`${name}<${server.name}`, server.cookie],
      ...(server.isSpared ? [[`${name}<${spareName(server.name)}`, server.cookie] as const] : []),
    ]),
  );
}

type Place = { readonly server: Server; readonly isSpare: boolean };

/** Everything that is a server to HAProxy. One that becomes a backup is another. */
function placesOf(servers: ReadonlyMap<string, Server>): ReadonlyMap<string, Place> {
  return new Map(
    [...servers].flatMap(([name, server]): readonly (readonly [string, Place])[] => [
      [name, { server, isSpare: false }],
      ...(server.isSpared ? [[spareName(name), { server, isSpare: true }] as const] : []),
    ]),
  );
}

function added({ name: backend, shape, leaving }: Slot, { server, isSpare }: Place): readonly string[] {
  const name = isSpare ? spareName(server.name) : server.name;
  const place = `${backend}/${name}`;
  if (leaving.delete(name))
    return [
      `set server ${place} addr ${server.address}`,
      `set server ${place} weight ${server.weight}`,
      `set server ${place} state ready`,
    ];
  return [
    `add server ${place} ${isSpare ? spareWords(server, shape) : serverWords(server, shape)}`,
    `enable server ${place}`,
    ...(shape.checks && !isSpare ? [`enable health ${place}`] : []),
  ];
}

/** Another address is that of a host that is elsewhere now. */
function altered(place: string, before: Server, after: Server): readonly string[] {
  return [
    ...(before.address === after.address ? [] : [`set server ${place} addr ${after.address}`]),
    ...(before.weight === after.weight ? [] : [`set server ${place} weight ${after.weight}`]),
  ];
}

function removed({ name, leaving }: Slot, server: string): string {
  leaving.add(server);
  return `set server ${name}/${server} state maint`;
}

function isGiving(command: string): boolean {
  return !command.endsWith(' state maint');
}
