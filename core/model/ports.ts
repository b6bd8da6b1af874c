import { type App, isHostMode, isPod, type PortProtocol } from './app.ts';
import { endpointsOf, type PodEndpoint } from './pod.ts';

/** One port an app asks for, whichever form (definition, mapping, endpoint of a pod) it was written in. */
export type PortRequest = {
  readonly index: number;
  readonly name?: string;
  readonly protocols: readonly ('tcp' | 'udp')[];
  /** undefined: none wanted; 0: any free port of the agent; else exactly this one. */
  readonly hostPort?: number;
  /** undefined in host mode; 0: same as the host port, or one drawn at launch. */
  readonly containerPort?: number;
  /** Cluster-wide virtual number for load balancers; assigned when the app is stored. */
  readonly servicePort: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly networkNames: readonly string[];
};

export function protocolsOf(protocol: PortProtocol): readonly ('tcp' | 'udp')[] {
  if (protocol === 'udp,tcp') return ['udp', 'tcp'];
  if (protocol === 'tcp,udp') return ['tcp', 'udp'];
  return [protocol];
}

type PortFields = Pick<App, 'networks' | 'portDefinitions' | 'requirePorts' | 'container' | 'pod'>;

/** The ports of an app in definition order (Marathon §11); of a pod container by container. */
export function portsOf(app: PortFields): readonly PortRequest[] {
  if (isPod(app)) return endpointsOf(app.pod).map((endpoint, index) => endpointPort(endpoint, index));
  if (isHostMode(app)) {
    return (app.portDefinitions ?? []).map((port, index) => ({
      index,
      ...(port.name === undefined ? {} : { name: port.name }),
      protocols: protocolsOf(port.protocol),
      hostPort: app.requirePorts ? port.port : 0,
      servicePort: port.port,
      labels: port.labels,
      networkNames: [],
    }));
  }
  return (app.container?.portMappings ?? []).map((port, index) => ({
    index,
    ...(port.name === undefined ? {} : { name: port.name }),
    protocols: protocolsOf(port.protocol),
    ...(port.hostPort === undefined ? {} : { hostPort: port.hostPort }),
    containerPort: port.containerPort,
    servicePort: port.servicePort,
    labels: port.labels,
    networkNames: port.networkNames,
  }));
}

/** Pods have no service ports. */
function endpointPort(endpoint: PodEndpoint, index: number): PortRequest {
  const { name, protocol, hostPort, containerPort, labels, networkNames } = endpoint;
  return {
    index,
    name,
    protocols: protocol,
    ...(hostPort === undefined ? {} : { hostPort }),
    ...(containerPort === undefined ? {} : { containerPort }),
    servicePort: 0,
    labels,
    networkNames,
  };
}
