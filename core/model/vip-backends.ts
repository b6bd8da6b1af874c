import type { Directory, Endpoint, EndpointPort, WeightedService } from './directory.ts';
import type { AgentId, InstanceId } from './ids.ts';

export type WeighedBackend = {
  readonly instanceId: InstanceId;
  readonly agentId: AgentId;
  readonly address: string;
  readonly port: number;
  /** 0: takes no new connections. */
  readonly weight: number;
  /** Why it has the weight 0; absent: it has another. */
  readonly because?: string;
};

/**
 * Every running instance behind these services and the share it takes (vip.md §5): none while it is not ready. Where not
 * one is ready, those of agents that are not heard of keep their share: a try is better than a refusal (vip.md §7).
 */
export function vipBackends(
  directory: Pick<Directory, 'byApp'>,
  services: readonly WeightedService[],
): readonly WeighedBackend[] {
  const all = services.flatMap(({ appId, portIndex, weight = 1 }) =>
    (directory.byApp.get(appId) ?? []).flatMap((endpoint) => {
      const port = endpoint.ports.find(({ index }) => index === portIndex);
      if (port === undefined) return [];
      const { instanceId, agentId, ready, unreachable } = endpoint;
      return addressesOf(endpoint, port).map((address) => ({
        instanceId,
        agentId,
        address,
        port: port.port,
        weight,
        ready,
        unreachable,
      }));
    }),
  );
  const panics = !all.some(({ ready }) => ready);
  return all.map(({ ready, unreachable, weight, ...backend }) => {
    if (ready || (panics && unreachable))
      return weight > 0
        ? { ...backend, weight }
        : { ...backend, weight, because: 'its app has the weight 0' };
    const because = unreachable ? 'its agent is not heard of' : 'its health checks do not pass (yet)';
    return { ...backend, weight: 0, because };
  });
}

/** One backend for each address that the instance has where its port is reached (vip.md §5), whatever the family. */
export function addressesOf({ addresses }: Endpoint, { address, scope }: EndpointPort): readonly string[] {
  const network = addresses.find(({ ip }) => ip === address)?.network;
  if (scope === 'host' || network === undefined) return [address];
  return addresses.filter((one) => one.network === network).map(({ ip }) => ip);
}
