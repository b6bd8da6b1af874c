import type { Directory, Endpoint, EndpointPort } from './directory.ts';
import type { AgentId, AppId, InstanceId, TaskId } from './ids.ts';
import type { AppServers, AppSwap, PortChoice, ServerSet } from './server-set.ts';

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

/** A server with how it is. `leaving`: it is well, and gets nothing new because another app takes its place. */
export type SetMember = SetServer & { readonly state: 'up' | 'down' | 'leaving' };

/** Makes an expression ready. */
type Like = (pattern: string) => (text: string) => boolean;

/** Its servers, those only that get requests, in the order of their tasks; none twice. */
export function serversOf(
  directory: Pick<Directory, 'byApp'>,
  set: ServerSet,
  like: Like,
): readonly SetServer[] {
  return membersOf(directory, set, like).flatMap(({ state, ...server }) => (state === 'up' ? [server] : []));
}

/** The same with those that get none now. */
export function membersOf(
  directory: Pick<Directory, 'byApp'>,
  { sources, swap }: ServerSet,
  like: Like,
): readonly SetMember[] {
  const leaving = swap === undefined ? none : leavingTasks(directory, swap);
  const all = sources.flatMap((source): readonly SetMember[] => {
    const { weight, backup } = source;
    const traits = { ...(weight !== undefined && { weight }), ...(backup && { backup }) };
    if (!('appId' in source)) {
      const { host: address, port } = source;
      const name = `address_${address}_${port}`;
      return [{ instanceId: name, agentId: '', address, port, name, state: 'up', ...traits }];
    }
    return chosen(stayingOf(directory, source.appId), source, like).flatMap((endpoint) =>
      placesOf(endpoint, source.ports, source.via).map((server) => ({
        ...server,
        state: stateOf(endpoint, leaving),
        ...traits,
      })),
    );
  });
  return once(all);
}

/** Who gets nothing new while one app takes the place of another. */
export function leavingTasks(directory: Pick<Directory, 'byApp'>, swap: AppSwap): ReadonlySet<TaskId> {
  const old = stayingOf(directory, swap.old)
    .map(({ taskId }) => taskId)
    .toSorted();
  const ready = stayingOf(directory, swap.new).filter((endpoint) => endpoint.ready).length;
  const spare = Math.max(0, ready + swap.oldInstances - swap.target);
  return new Set(old.slice(0, Math.min(ready, spare)));
}

/** A pool has those that drain no more. */
function stayingOf({ byApp }: Pick<Directory, 'byApp'>, app: AppId): readonly Endpoint[] {
  return (byApp.get(app) ?? []).filter(({ draining }) => draining === undefined);
}

const none: ReadonlySet<TaskId> = new Set();

function stateOf({ ready, taskId }: Endpoint, leaving: ReadonlySet<TaskId>): SetMember['state'] {
  if (leaving.has(taskId)) return 'leaving';
  return ready ? 'up' : 'down';
}

/** Of several at one place the one that gets requests. */
function once(all: readonly SetMember[]): readonly SetMember[] {
  const up = new Set(all.filter(({ state }) => state === 'up').map(({ name }) => name));
  const shown = all.filter(({ name, state }) => state === 'up' || !up.has(name));
  return [...new Map(shown.map((member) => [member.name, member])).values()];
}

type Place = Omit<SetServer, 'weight' | 'backup'>;

function chosen(endpoints: readonly Endpoint[], { task }: AppServers, like: Like): readonly Endpoint[] {
  const fits =
    task === undefined ? () => true : 'is' in task ? (id: string) => id === task.is : like(task.like);
  return endpoints.filter(({ taskId }) => fits(taskId)).toSorted((a, b) => (a.taskId < b.taskId ? -1 : 1));
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

function isChosen({ index, name, containerPort, hostPort, port }: EndpointPort, choice: PortChoice): boolean {
  if (choice.by === 'all') return true;
  if (choice.by === 'index') return index === choice.index;
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
