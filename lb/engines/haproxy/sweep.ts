import { connectedServers, placesOf } from './connections.ts';
import type { Layout } from './layout.ts';
import type { Processes } from './processes.ts';

/** Takes away servers that have left and have no connections: HAProxy would forget to close those that only wait. */
export async function sweepServers(layout: Layout, processes: Processes): Promise<void> {
  for (const slot of layout.slots.filter(({ leaving }) => leaving.size > 0)) {
    const [text = ''] = await processes.ask([`show servers conn ${slot.name}`]);
    const held = connectedServers(text);
    const names = [...slot.leaving].filter((name) => !held.has(name));
    const answers = await processes.ask(names.map((name) => `del server ${slot.name}/${name}`));
    for (const [n, answer] of answers.entries())
      if (/deleted|No such server/i.test(answer)) slot.leaving.delete(names[n] ?? '');
  }
}

/** A client that a replaced process still has may ask once more: not there. */
export async function takeFromRetired(processes: Processes, gone: ReadonlySet<string>): Promise<void> {
  if (gone.size === 0) return;
  await Promise.all(
    processes.retired.map(async (one) => {
      const [text = ''] = await one.ask(['show servers conn']).catch(() => []);
      const commands = placesOf(text, gone).map((place) => `set server ${place} state maint`);
      await one.ask(commands).catch(() => []);
    }),
  );
}
