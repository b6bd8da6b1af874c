import type {
  DirectoryAgent,
  DirectoryDelta,
  Endpoint,
  EndpointPort,
  Vip,
} from '../../core/model/directory.ts';
import { instanceId, taskId } from '../../core/model/ids.ts';

/** A whole Directory as a delta; what is left out is empty. */
export function snapshot(
  revision: number,
  parts: {
    readonly agents?: readonly DirectoryAgent[];
    readonly endpoints?: readonly Endpoint[];
    readonly vips?: readonly Vip[];
  },
): DirectoryDelta {
  return {
    from: 0,
    revision,
    agents: { set: parts.agents ?? [], gone: [] },
    endpoints: { set: parts.endpoints ?? [], gone: [] },
    vips: { set: parts.vips ?? [], gone: [] },
    routes: { set: [], gone: [] },
  };
}

/** A ready instance with a container address of its own and one port, `http` on 80. */
export function containerEndpoint(appId: string, uuid: string, parts: Partial<Endpoint> = {}): Endpoint {
  const id = instanceId(appId, uuid);
  const ip = parts.addresses?.[0]?.ip ?? '100.64.1.2';
  return {
    instanceId: id,
    taskId: taskId(id, 1),
    appId,
    agentId: 'agent-S1',
    agentAddress: '100.64.255.1',
    addresses: [{ network: 'weir', ip }],
    ports: [port({ name: 'http', address: ip, port: 80, containerPort: 80 })],
    ready: true,
    ...parts,
  };
}

/** A ready instance in host mode with one port, `http` on `hostPort`. */
export function hostEndpoint(appId: string, uuid: string, hostPort: number): Endpoint {
  const address = '100.64.255.1';
  return containerEndpoint(appId, uuid, {
    addresses: [],
    ports: [port({ name: 'http', address, port: hostPort, hostPort, scope: 'host' })],
  });
}

export function port(parts: Partial<EndpointPort> & { address: string; port: number }): EndpointPort {
  return { index: 0, protocols: ['tcp'], scope: 'container', labels: {}, ...parts };
}

export function vip(appId: string, names: readonly string[], parts: Partial<Vip> = {}): Vip {
  return {
    key: `tcp:${names[0]}:80`,
    protocol: 'tcp',
    address: '100.127.0.9',
    port: 80,
    names,
    services: [{ appId, portIndex: 0 }],
    ...parts,
  };
}

export function agent(id: string, address: string, master = false): DirectoryAgent {
  return { id, hostname: id, address, master };
}
