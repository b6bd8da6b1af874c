import type { DnsOptions } from '../../dns/consumer.ts';
import type { AgentSettings } from './agent-settings.ts';
import { nodeAddresses } from './node-resolver.ts';

/** The resolver of an agent: what its settings file says, and what only the agent knows. */
export function dnsOptions(settings: AgentSettings): DnsOptions {
  const { dnsSettings: read, dns, hostname, address } = settings;
  const upstreams = settings.resolvers.length > 0 ? settings.resolvers : (read?.forward.upstreams ?? []);
  const zones = read?.forward.zones ?? {};
  const forwards = (read?.external ?? true) && upstreams.length + Object.keys(zones).length > 0;
  const api = Number(new URL(settings.masters[0] ?? 'http://127.0.0.1:8080').port) || 80;
  return {
    listen: [dns],
    zone: {
      thisNode: address,
      ports: { master: api, framework: api },
      ...(settings.runtime === 'runc' ? { nameserver: nodeOptions(settings).addresses } : {}),
      ...read?.zone,
      told: told(settings, { forwards, upstreams, zones }),
    },
    server: { identity: hostname, ...read?.server },
    ...(forwards ? { forward: { ...read?.forward, upstreams, zones } } : {}),
  };
}

/** The addresses the resolver has for itself on a machine of containers. */
export function nodeOptions(settings: AgentSettings) {
  const { address: own, dns: always, dnsSettings } = settings;
  return { addresses: dnsSettings?.nodeAddresses ?? nodeAddresses, own, always };
}

type Forwarding = {
  readonly forwards: boolean;
  readonly upstreams: AgentSettings['resolvers'];
  readonly zones: Readonly<Record<string, AgentSettings['resolvers']>>;
};

/** In the words of Mesos-DNS's own configuration. */
function told(settings: AgentSettings, { forwards, upstreams, zones }: Forwarding) {
  const text = (list: AgentSettings['resolvers']) => list.map(({ address, port }) => `${address}:${port}`);
  return {
    Listener: settings.dns.address,
    Port: settings.dns.port,
    HTTPListener: settings.dnsHttp.address,
    HttpPort: settings.dnsHttp.port,
    Resolvers: text(upstreams),
    ZoneResolvers: Object.fromEntries(Object.entries(zones).map(([zone, list]) => [zone, text(list)])),
    ExternalOn: forwards,
    RecurseOn: forwards,
  };
}
