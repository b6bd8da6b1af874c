import { type Server, serverWords, spareName, spareWords } from './sections.ts';
import type { Slot } from './slots.ts';

/** Commands that give a backend these servers. Those that go get nothing new from now on, and end what they have. */
export function changeServers(slot: Slot, wanted: ReadonlyMap<string, Server>): readonly string[] {
  const commands: string[] = [];
  for (const [name, server] of wanted) {
    const known = slot.servers.get(name);
    if (known === undefined) commands.push(...added(slot, server));
    else if (known.weight !== server.weight) commands.push(...weighed(slot, server));
  }
  for (const name of slot.servers.keys()) if (!wanted.has(name)) commands.push(...removed(slot, name));
  slot.servers = wanted;
  const renewed = slot.shape.sticky && commands.length > 0;
  return renewed ? [...commands, `set dynamic-cookie-key backend ${slot.name} weir`] : commands;
}

function added(slot: Slot, server: Server): readonly string[] {
  const { shape, leaving } = slot;
  const spare = { ...server, name: spareName(server.name) };
  const place = (one: Server) => `${slot.name}/${one.name}`;
  const both = shape.spares ? [server, spare] : [server];
  const back = leaving.has(server.name);
  for (const one of both) leaving.delete(one.name);
  if (back)
    return both.flatMap((one) => [
      `set server ${place(one)} state ready`,
      `set server ${place(one)} weight ${one.weight}`,
    ]);
  return both.flatMap((one) => {
    const words = one === server ? serverWords(one, shape) : spareWords(one, shape);
    const checked = one === server && shape.server.includes('check');
    return [
      `add server ${place(one)} ${words}`,
      `enable server ${place(one)}`,
      ...(checked ? [`enable health ${place(one)}`] : []),
    ];
  });
}

function weighed({ name, shape }: Slot, server: Server): readonly string[] {
  const names = shape.spares ? [server.name, spareName(server.name)] : [server.name];
  return names.map((one) => `set server ${name}/${one} weight ${server.weight}`);
}

function removed({ name, shape, leaving }: Slot, server: string): readonly string[] {
  const names = shape.spares ? [server, spareName(server)] : [server];
  for (const one of names) leaving.add(one);
  return names.map((one) => `set server ${name}/${one} state maint`);
}
