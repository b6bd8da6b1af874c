import { type AppId, safeId } from '../core/model/ids.ts';
import { portsOf } from '../core/model/ports.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import { tasksOf } from './views.ts';

/** The text form of tasks (Marathon §4.4): a line for each app and service port with the endpoints of running tasks. */
export function taskTable(snapshot: Snapshot, apps: readonly AppId[]): string {
  return apps.map((id) => appLines(snapshot, id)).join('');
}

function appLines(snapshot: Snapshot, id: AppId): string {
  const app = snapshot.table('apps').get(id);
  if (app === undefined) return '';
  const running = tasksOf(snapshot, id).filter(({ instance }) => instance.state.kind === 'running');
  const ports = portsOf(app);
  if (ports.length === 0) {
    return `${safeId(id)}\t \t${running
      .map(({ agent }) => `${agent?.hostname}\t`)
      .sort()
      .join('')}\n`;
  }
  return ports
    .map((port) => {
      const endpoints = running.map(({ placement, agent, instance }) => {
        const host = placement.hostPorts[port.index];
        if (typeof host === 'number') return `${agent?.hostname}:${host}\t`;
        const own = instance.state.kind === 'running' ? instance.state.addresses[0]?.ip : undefined;
        return `${own ?? agent?.hostname}:${placement.containerPorts[port.index] ?? 0}\t`;
      });
      return `${safeId(id)}\t${port.servicePort}\t${endpoints.sort().join('')}\n`;
    })
    .join('');
}
