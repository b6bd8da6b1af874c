import {
  applyDelta,
  type Directory,
  type DirectoryAgent,
  type Endpoint,
  emptyDirectory,
  type Vip,
} from '../../../core/model/directory.ts';

/** An instance `<app>.<n>` with one port 0 at the given address. */
export function endpoint(
  app: string,
  n: number,
  at: { readonly address: string; readonly port: number; readonly ready?: boolean },
): Endpoint {
  const { address, port, ready = true } = at;
  const instanceId = `${app.slice(1)}.instance-${n}`;
  return {
    instanceId,
    taskId: `${instanceId}._app.1`,
    appId: app,
    agentId: 'one',
    agentAddress: '100.65.3.1',
    addresses: [],
    ports: [{ index: 0, protocols: ['tcp'], address, port, scope: 'container', labels: {} }],
    ready,
  };
}

export function tcpVip(address: string, port: number, ...apps: readonly string[]): Vip {
  return {
    key: `tcp:${apps.join('+')}:${address}:${port}`,
    protocol: 'tcp',
    address,
    port,
    names: apps.map((app) => `${app.slice(1)}.weir`),
    services: apps.map((appId) => ({ appId, portIndex: 0 })),
  };
}

/** The next revision: everything given replaces what has the same id. */
export function revised(
  before: Directory,
  changes: {
    readonly endpoints?: readonly Endpoint[];
    readonly gone?: readonly string[];
    readonly vips?: readonly Vip[];
    readonly vipsGone?: readonly string[];
    readonly agents?: readonly DirectoryAgent[];
  },
): Directory {
  return applyDelta(before, {
    from: before.revision,
    revision: before.revision + 1,
    endpoints: { set: changes.endpoints ?? [], gone: changes.gone ?? [] },
    ...(changes.vips || changes.vipsGone
      ? { vips: { set: changes.vips ?? [], gone: changes.vipsGone ?? [] } }
      : {}),
    ...(changes.agents ? { agents: { set: changes.agents, gone: [] } } : {}),
  });
}

export const noDirectory: Directory = { ...emptyDirectory, revision: 1 };
