import type { Directory, Endpoint, EndpointPort } from './directory.ts';
import type { AgentId, InstanceId } from './ids.ts';
import type { AppServers, PortChoice, ServerSet } from './server-set.ts';

/** One address of a server set. */
export type SetServer = {
  readonly instanceId: InstanceId;
  readonly agentId: AgentId;
  readonly address: string;
  readonly port: number;
  readonly weight?: number;
  readonly backup?: true;
  /** `containerip_10.0.0.1_80` (ingress.md A4). */
  readonly name: string;
};

/** Its servers, ready ones only, in the order of their tasks; none twice. `like` makes an expression ready. */
export function serversOf(
  directory: Pick<Directory, 'byApp'>,
  { sources }: ServerSet,
  like: (pattern: string) => (text: string) => boolean,
): readonly SetServer[] {
  const all = sources.flatMap((source): readonly SetServer[] => {
    const { weight, backup } = source;
    const traits = { ...(weight !== undefined && { weight }), ...(backup && { backup }) };
    if (!('appId' in source)) {
      const { host: address, port } = source;
      const name = `address_${address}_${port}`;
      return [{ instanceId: name, agentId: '', address, port, name, ...traits }];
    }
    return chosen(directory.byApp.get(source.appId) ?? [], source, like).map((server) => ({
      ...server,
      ...traits,
    }));
  });
  return [...new Map(all.map((server) => [server.name, server])).values()];
}

type Place = Omit<SetServer, 'weight' | 'backup'>;

function chosen(
  endpoints: readonly Endpoint[],
  { ports, via, task }: AppServers,
  like: (pattern: string) => (text: string) => boolean,
): readonly Place[] {
  const fits =
    task === undefined ? () => true : 'is' in task ? (id: string) => id === task.is : like(task.like);
  return endpoints
    .filter(({ ready, taskId }) => ready && fits(taskId))
    .toSorted((a, b) => (a.taskId < b.taskId ? -1 : 1))
    .flatMap((endpoint) => placesOf(endpoint, ports, via));
}

function placesOf(endpoint: Endpoint, choice: PortChoice, via: AppServers['via']): readonly Place[] {
  const ports = endpoint.ports.filter((port) => isChosen(port, choice));
  if (choice.by === 'number' && ports.length === 0) return unannounced(endpoint, choice.number, via);
  return ports.flatMap((port) => {
    if (via === 'auto' || (via === 'container' && endpoint.addresses.length === 0))
      return [place(endpoint, port.scope, port)];
    if (via === 'agent')
      return port.hostPort === undefined
        ? []
        : [place(endpoint, 'host', { address: endpoint.agentAddress, port: port.hostPort })];
    return port.containerPort === undefined ? [] : everyAddress(endpoint, port.containerPort);
  });
}

function isChosen({ name, containerPort, hostPort, port }: EndpointPort, choice: PortChoice): boolean {
  if (choice.by === 'all') return true;
  if (choice.by === 'name') return name !== undefined && choice.names.includes(name);
  return [containerPort, hostPort, port].includes(choice.number);
}

/** A port that the app does not speak of. */
function unannounced(endpoint: Endpoint, port: number, via: AppServers['via']): readonly Place[] {
  if (via === 'agent' || endpoint.addresses.length === 0)
    return [place(endpoint, 'host', { address: endpoint.agentAddress, port })];
  return everyAddress(endpoint, port).slice(0, via === 'auto' ? 1 : undefined);
}

function everyAddress(endpoint: Endpoint, port: number): readonly Place[] {
  return endpoint.addresses.map(({ ip }) => place(endpoint, 'container', { address: ip, port }));
}

function place(
  { instanceId, agentId }: Endpoint,
  scope: 'host' | 'container',
  { address, port }: { readonly address: string; readonly port: number },
): Place {
  const kind = scope === 'host' ? 'agentip' : 'containerip';
  return { instanceId, agentId, address, port, name: `${kind}_${address}_${port}` };
}
