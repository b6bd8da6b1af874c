import type { App } from '../../core/model/app.ts';
import { type PortRequest, portsOf } from '../../core/model/ports.ts';
import type { AgentView } from '../agent-view.ts';

/** Ports drawn for an instance, by port index; null where none is wanted. */
export type DrawnPorts = {
  readonly hostPorts: readonly (number | null)[];
  readonly containerPorts: readonly (number | null)[];
};

/** What an app asks of an agent's ports. */
export type PortNeed = {
  readonly requests: readonly PortRequest[];
  /** Host ports that must be just these. */
  readonly fixed: readonly number[];
  /** How many more, whichever they are. */
  readonly dynamic: number;
};

/** Container ports that Weir draws itself begin here (Marathon §11.3). */
const firstDrawnContainerPort = 1025;

export function portNeed(app: App): PortNeed {
  const requests = portsOf(app);
  const wanted = requests.flatMap(({ hostPort }) => hostPort ?? []);
  return {
    requests,
    fixed: wanted.filter((port) => port > 0),
    dynamic: wanted.filter((port) => port === 0).length,
  };
}

/** The ports an agent cannot give, or undefined when it can give all. */
export function portShortage(need: PortNeed, view: AgentView): string | undefined {
  if (need.fixed.length === 0 && need.dynamic <= view.freePorts) return undefined;
  const { taken, missing } = blockingPorts(need, view);
  if (taken.length > 0) return `port ${taken[0]} of ${view.agent.hostname} is taken`;
  if (missing === 0) return undefined;
  const wanted = need.dynamic === 1 ? 'a host port' : `${need.dynamic} host ports`;
  return `needs ${wanted}, ${view.agent.hostname} has ${need.dynamic - missing} free`;
}

/** `taken`: ports that must be just these and are not free; `missing`: how many of the others are not there. */
export function blockingPorts(
  { fixed, dynamic }: PortNeed,
  view: AgentView,
): { readonly taken: readonly number[]; readonly missing: number } {
  const taken = fixed.filter((port, index) => view.takenPorts.has(port) || fixed.indexOf(port) < index);
  const reserved = new Set(fixed.filter((port) => !view.takenPorts.has(port) && view.offers(port)));
  return { taken, missing: dynamic === 0 ? 0 : Math.max(0, dynamic - (view.freePorts - reserved.size)) };
}

/**
 * Ports for an instance on an agent that is short of none: dynamic host ports are the next free after a random start, so
 * that a port that was just released is not handed out again at once.
 */
export function drawPorts(need: PortNeed, view: AgentView, random: () => number): DrawnPorts {
  if (need.requests.length === 0) return { hostPorts: [], containerPorts: [] };
  const drawn = new Set(need.fixed);
  const isTaken = (port: number) => drawn.has(port) || view.takenPorts.has(port);
  const hostPorts = need.requests.map(({ hostPort }) => {
    if (hostPort === undefined) return null;
    if (hostPort > 0) return hostPort;
    const port = freePort(view, isTaken, random);
    drawn.add(port);
    return port;
  });
  return { hostPorts, containerPorts: containerPorts(need.requests, hostPorts, random) };
}

function freePort(view: AgentView, isTaken: (port: number) => boolean, random: () => number): number {
  const size = view.agent.ports.reduce((sum, range) => sum + range.end - range.begin + 1, 0);
  const start = Math.floor(random() * size);
  for (let step = 0; step < size; step++) {
    const port = nthPort(view, (start + step) % size);
    if (!isTaken(port)) return port;
  }
  throw new RangeError(`${view.agent.id} has no free port though it was found to have one`);
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
