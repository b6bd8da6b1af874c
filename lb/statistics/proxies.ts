import { anywhereMatcher } from '../../core/kit/pattern.ts';
import type { Directory } from '../../core/model/directory.ts';
import { isHttp, tableOf } from '../../core/model/listener.ts';
import type { Route, ServiceRef } from '../../core/model/route.ts';
import { isServerSet } from '../../core/model/server-set.ts';
import { membersOf, type SetMember } from '../../core/model/servers-of.ts';
import { endpointName } from '../edge/routes/route-table.ts';
import type { ListenAddress } from '../engine.ts';
import { serverId, serverName } from '../server-name.ts';
import { type Answers, type ListenerNumbers, type Measured, type ServerNumbers, sum } from './measured.ts';

export type Mode = 'http' | 'tcp';

export type FrontendRow = {
  readonly name: string;
  readonly mode: Mode;
  readonly address: string;
  readonly port: number;
  readonly numbers: ListenerNumbers;
};

/** `MAINT`: it is well, and gets nothing new. */
export type ServerStatus = 'UP' | 'DOWN' | 'MAINT';

export type ServerRow = ServerNumbers & {
  readonly name: string;
  readonly id: number;
  readonly status: ServerStatus;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly backup: boolean;
};

export type BackendRow = {
  readonly name: string;
  readonly mode: Mode;
  readonly balance: string;
  readonly servers: readonly ServerRow[];
  readonly answers: Answers;
};

export type Proxies = {
  readonly frontends: readonly FrontendRow[];
  readonly backends: readonly BackendRow[];
};

export type ProxySources = {
  readonly directory: Directory;
  /** Of HTTP; those that the edge was started with among them. */
  readonly listening: readonly ListenAddress[];
  readonly measured: Measured;
};

/** What HAProxy's statistics would name if it did what this edge does: frontends and backends in the order of their names. */
export function proxiesOf(sources: ProxySources): Proxies {
  return {
    frontends: frontendsOf(sources).toSorted(byName),
    backends: backendsOf(sources).toSorted(byName),
  };
}

/** What marathon-lb calls the frontends that all apps share. */
const shared: Readonly<Record<string, string>> = {
  '*http': 'marathon_http_in',
  '*https': 'marathon_https_in',
  'app-id': 'marathon_http_appid_in',
};

function frontendsOf({ directory, listening, measured }: ProxySources): readonly FrontendRow[] {
  const names = new Map(
    [...directory.routes.values()].flatMap(({ table, backend }) =>
      table === undefined || backend === undefined ? [] : [[table, backend] as const],
    ),
  );
  const fixed = listening
    .filter(({ id }) => id.startsWith('*'))
    .map(({ id, address, port }) => ({ id, name: shared[id] ?? id, mode: 'http' as const, address, port }));
  const declared = [...directory.listeners.values()].map((listener) => {
    const { id, owner, protocol, address = '*', port } = listener;
    const own = owner.startsWith('app:') ? names.get(tableOf(listener) ?? '') : id.replace(`${owner}:`, '');
    const mode: Mode = isHttp(protocol) ? 'http' : 'tcp';
    return { id, name: shared[id] ?? own ?? id, mode, address, port };
  });
  return [...fixed, ...declared].map(({ id, ...row }) => ({
    ...row,
    numbers: measured.listener(id) ?? silent,
  }));
}

const silent = { open: 0, connections: 0, refused: 0, bytesIn: 0, bytesOut: 0 };

function backendsOf({ directory, measured }: ProxySources): readonly BackendRow[] {
  const named = [...directory.routes.values()].filter(({ backend }) => backend !== undefined);
  const byBackend = Map.groupBy(named, ({ backend, service }) => `${backend} ${service.appId}`);
  return [...byBackend.values()].flatMap((routes) => {
    const [route] = routes;
    if (route?.backend === undefined) return [];
    const mode = routes.some((one) => modeOf(directory, one) === 'http') ? 'http' : 'tcp';
    return [
      {
        name: route.backend,
        mode,
        balance: route.options?.balance ?? 'round-robin',
        servers: serversOf(directory, route.service, measured),
        answers: routes.reduce<Answers>((all, { id }) => sum(all, measured.answers(id)), new Map()),
      },
    ];
  });
}

function modeOf({ listeners }: Directory, { table }: Route): Mode {
  const listener = listeners.get(table ?? '');
  return listener === undefined || isHttp(listener.protocol) ? 'http' : 'tcp';
}

/** In the order of their names; ids as they are given out in that order (ingress.md B4). */
function serversOf(directory: Directory, service: ServiceRef, measured: Measured): readonly ServerRow[] {
  const taken = new Set<number>();
  return memberRows(directory, service)
    .toSorted(byName)
    .map(({ name, state, instanceId, address, port, weight = 1, backup = false }) => {
      const id = serverId(name, taken);
      taken.add(id);
      const numbers = measured.server(endpointName({ key: '', instanceId, address, port }), instanceId);
      const status = state === 'leaving' ? 'MAINT' : state === 'down' || numbers.sick ? 'DOWN' : 'UP';
      return { ...numbers, name, id, status, address, port, weight, backup };
    });
}

function memberRows(directory: Directory, service: ServiceRef): readonly SetMember[] {
  const named = (members: readonly SetMember[]) =>
    members.map((member) => ({ ...member, name: machineName(directory, member) }));
  if (!isServerSet(service.appId)) return named(portMembers(directory, service));
  const set = directory.serverSets.get(service.appId);
  if (set === undefined) return [];
  const members = membersOf(directory, set, (pattern) => anywhereMatcher(pattern) ?? (() => false));
  return set.naming === 'machine' ? named(members) : members;
}

function portMembers({ byApp }: Directory, { appId, portIndex }: ServiceRef): readonly SetMember[] {
  return (byApp.get(appId) ?? []).flatMap(({ instanceId, agentId, ready, ports }) =>
    ports
      .filter(({ index }) => index === portIndex)
      .map(({ address, port }) => ({
        ...{ instanceId, agentId, address, port, name: '' },
        state: ready ? 'up' : 'down',
      })),
  );
}

function machineName({ agents }: Directory, { agentId, address, port }: SetMember): string {
  const host = agents.get(agentId)?.hostname;
  return serverName({ ...(host !== undefined && { host }), address, port });
}

function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name < other.name ? -1 : one.name > other.name ? 1 : 0;
}
