import type { Definition } from './definitions.ts';

/** A backend that answers with its own id, and the VIPs that lead to it. */
export type MatrixTarget = {
  readonly definition: Definition;
  /** `name:port` and `address:port`. */
  readonly named: string;
  readonly address: string;
};

/** On the machine of the backends or on another. */
export type Client = {
  readonly name: string;
  readonly host: string;
  /** Undefined: a process of the machine. */
  readonly network: Network | undefined;
};

type Network = { readonly mode: string; readonly name?: string };

/** Serves at the container's port, or at the one that it was given of the host; and asks itself until it is answered. */
const server = `(until said=$(curl -sf -m 5 http://$ITSELF/); do sleep 0.2; done; echo "itself $said") &
exec perl -MIO::Socket::INET -e '
$s = IO::Socket::INET->new(LocalPort => $ENV{SERVE_PORT} || $ENV{ENDPOINT_HTTP} || $ENV{PORT0}, Listen => 64, ReuseAddr => 1)
  or die "cannot listen: $!";
while (1) {
  $c = $s->accept or next;
  while (<$c>) { last if /^\\r?$/ }
  $b = "from $ENV{GREETING}\\n";
  print $c "HTTP/1.1 200 OK\\r\\nContent-Length: " . length($b) . "\\r\\nConnection: close\\r\\n\\r\\n$b";
  close $c
}'`;

const overlay: Network = { mode: 'container', name: 'weir' };
const bridge: Network = { mode: 'container/bridge' };
const host: Network = { mode: 'host' };
/** All backends are here. */
const where = 'h1';
const pinned = { constraints: [['hostname', 'LIKE', where]] };

export const targets: readonly [MatrixTarget, ...MatrixTarget[]] = [
  target(1, 'ucr-overlay', (labels) => contained(overlay, { containerPort: 9000, labels })),
  target(2, 'ucr-bridge', (labels) => contained(bridge, { containerPort: 9000, hostPort: 0, labels })),
  target(3, 'ucr-host', (labels) => ({
    networks: [host],
    container: { type: 'MESOS' },
    portDefinitions: [{ port: 0, name: 'http', labels }],
  })),
  target(4, 'none-host', (labels) => ({ portDefinitions: [{ port: 0, name: 'http', labels }] })),
  target(5, 'pod-overlay', (labels) => pod(overlay, { containerPort: 9000, labels })),
  target(6, 'pod-bridge', (labels) => pod(bridge, { containerPort: 9000, hostPort: 0, labels })),
  target(7, 'pod-host', (labels) => pod(host, { hostPort: 0, labels })),
];

export function isPod({ definition }: MatrixTarget): boolean {
  return 'containers' in definition;
}

export const clients: readonly Client[] = ['h1', 'h2'].flatMap((on) => [
  { name: `a process of ${on}`, host: on, network: undefined },
  { name: `a container of the overlay on ${on}`, host: on, network: overlay },
  { name: `a container of the bridge on ${on}`, host: on, network: bridge },
  { name: `a container of the host network on ${on}`, host: on, network: host },
]);

type Labels = Readonly<Record<string, string>>;

function target(n: number, name: string, shape: (labels: Labels) => object): MatrixTarget {
  const [id, address] = [`/${name}`, `100.101.7.${n}:80`];
  const own = shape({ VIP_0: `${id}:80`, VIP_1: address });
  const definition =
    'containers' in own
      ? { id, ...own }
      : {
          id,
          cmd: server,
          cpus: 0.05,
          mem: 32,
          instances: 1,
          env: environment(own, id, address),
          ...pinned,
          ...own,
        };
  return {
    definition: withEnvironment(definition, address),
    named: `${name}.marathon.l4lb.thisdcos.directory:80`,
    address,
  };
}

function environment(own: object, id: string, address: string): Labels {
  return { GREETING: id, ITSELF: address, ...('portDefinitions' in own ? {} : { SERVE_PORT: '9000' }) };
}

function contained(network: object, mapping: object): object {
  return {
    networks: [network],
    container: { type: 'MESOS', portMappings: [{ name: 'http', protocol: 'tcp', ...mapping }] },
  };
}

function pod(network: object, endpoint: object): object {
  const serve = 'containerPort' in endpoint ? { SERVE_PORT: '9000' } : {};
  return {
    networks: [network],
    scaling: { kind: 'fixed', instances: 1 },
    scheduling: {
      placement: { constraints: [{ fieldName: 'hostname', operator: 'LIKE', value: where }] },
    },
    containers: [
      {
        name: 'web',
        exec: { command: { shell: server } },
        resources: { cpus: 0.05, mem: 32 },
        environment: serve,
        endpoints: [{ name: 'http', protocol: ['tcp'], ...endpoint }],
      },
    ],
  };
}

/** A pod has its environment for all its containers. */
function withEnvironment(definition: Definition, address: string): Definition {
  if (!('containers' in definition)) return definition;
  return { ...definition, environment: { GREETING: definition.id, ITSELF: address } };
}
