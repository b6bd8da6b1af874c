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
 * one is ready, those that drain take it (vip.md §17.2), and without any of these those of agents that are not heard of: a
 * try is better than a refusal (vip.md §7).
 */
export function vipBackends(
  directory: Pick<Directory, 'byApp'>,
  services: readonly WeightedService[],
): readonly WeighedBackend[] {
  const all = services.flatMap(({ appId, portIndex, weight = 1 }) =>
    (directory.byApp.get(appId) ?? []).flatMap((endpoint) => {
      const port = endpoint.ports.find(({ index }) => index === portIndex);
      if (port === undefined) return [];
      const { instanceId, agentId } = endpoint;
      return addressesOf(endpoint, port).map((address) => ({
        instanceId,
        agentId,
        address,
        port: port.port,
        weight,
        state: stateOf(endpoint),
      }));
    }),
  );
  const taking = firstOf(all.map(({ state }) => state));
  return all.map(({ state, weight, ...backend }) => {
    if (state !== taking) return { ...backend, weight: 0, because: reasons[state] };
    return weight > 0 ? { ...backend, weight } : { ...backend, weight, because: 'its app has the weight 0' };
  });
}

/** How those instances are that take a VIP's connections; undefined: none does. */
export function vipState(endpoints: readonly Endpoint[]): EndpointState | undefined {
  return firstOf(endpoints.map(stateOf));
}

function firstOf(states: readonly EndpointState[]): EndpointState | undefined {
  return (['ready', 'draining', 'unreachable'] as const).find((one) => states.includes(one));
}

export type EndpointState = 'ready' | 'draining' | 'unreachable' | 'unready';

export function stateOf({ ready, draining, unreachable }: Endpoint): EndpointState {
  if (ready) return 'ready';
  if (draining !== undefined) return 'draining';
  return unreachable ? 'unreachable' : 'unready';
}

/** Why it takes nothing while others do. */
const reasons: Readonly<Record<EndpointState, string>> = {
  ready: '',
  draining: 'it drains: open connections go on',
  unreachable: 'its agent is not heard of',
  unready: 'its health checks do not pass (yet)',
};

/** One backend for each address that the instance has where its port is reached (vip.md §5), whatever the family. */
export function addressesOf({ addresses }: Endpoint, { address, scope }: EndpointPort): readonly string[] {
  const network = addresses.find(({ ip }) => ip === address)?.network;
  if (scope === 'host' || network === undefined) return [address];
  return addresses.filter((one) => one.network === network).map(({ ip }) => ip);
}
