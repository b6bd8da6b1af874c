import type { App } from '../../core/model/app.ts';
import { type PortRequest, portsOf } from '../../core/model/ports.ts';
import type { AgentView } from '../agent-view.ts';

/** Ports drawn for an instance, by port index; null where none is wanted. */
export type DrawnPorts = {
  readonly hostPorts: readonly (number | null)[];
  readonly containerPorts: readonly (number | null)[];
};

/** Container ports that Weir draws itself begin here (Marathon §11.3). */
const firstDrawnContainerPort = 1025;

/**
 * Host ports for an instance on an agent: fixed ones must be free, dynamic ones are the next free after a random
 * start, so that a port that was just released is not handed out again at once. A string says what is missing.
 */
export function drawPorts(app: App, view: AgentView, random: () => number): DrawnPorts | string {
  const ports = portsOf(app);
  const hostPorts: (number | null)[] = [];
  const taken = new Set(view.takenPorts);
  for (const port of ports) {
    const drawn = hostPortFor(port, view, taken, random);
    if (typeof drawn === 'string') return drawn;
    if (drawn !== null) taken.add(drawn);
    hostPorts.push(drawn);
  }
  return { hostPorts, containerPorts: containerPorts(ports, hostPorts, random) };
}

function hostPortFor(
  port: PortRequest,
  view: AgentView,
  taken: ReadonlySet<number>,
  random: () => number,
): number | null | string {
  if (port.hostPort === undefined) return null;
  if (port.hostPort > 0) {
    return taken.has(port.hostPort)
      ? `port ${port.hostPort} of ${view.agent.hostname} is taken`
      : port.hostPort;
  }
  return freePort(view, taken, random) ?? `${view.agent.hostname} has no free port`;
}

function freePort(view: AgentView, taken: ReadonlySet<number>, random: () => number): number | undefined {
  const size = view.agent.ports.reduce((sum, range) => sum + range.end - range.begin + 1, 0);
  const start = Math.floor(random() * size);
  for (let step = 0; step < size; step++) {
    const port = nthPort(view, (start + step) % size);
    if (!taken.has(port)) return port;
  }
  return undefined;
}

function nthPort(view: AgentView, index: number): number {
  let rest = index;
  for (const range of view.agent.ports) {
    const size = range.end - range.begin + 1;
    if (rest < size) return range.begin + rest;
    rest -= size;
  }
  throw new RangeError(`port index ${index} is outside the ranges of ${view.agent.id}`);
}

function containerPorts(
  ports: readonly PortRequest[],
  hostPorts: readonly (number | null)[],
  random: () => number,
): readonly (number | null)[] {
  const taken = new Set(ports.map((port) => port.containerPort ?? 0));
  return ports.map((port, index) => {
    if (port.containerPort === undefined) return null;
    if (port.containerPort > 0) return port.containerPort;
    const host = hostPorts[index] ?? null;
    if (host !== null) return host;
    let drawn = 0;
    do drawn = firstDrawnContainerPort + Math.floor(random() * (65_536 - firstDrawnContainerPort));
    while (taken.has(drawn));
    taken.add(drawn);
    return drawn;
  });
}
