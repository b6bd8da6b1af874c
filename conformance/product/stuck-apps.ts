import { type Definition, healthCheck, script } from './definitions.ts';

/** An app that cannot be as it is wanted, and what names the true cause. */
export type Stuck = {
  readonly cause: string;
  readonly id: string;
  /** Posted as an app, or as a group where it holds more than one. */
  readonly definition: Definition;
  readonly as?: 'group';
  /** `weir why` says each of these. */
  readonly says: readonly RegExp[];
};

/** What the apps below are stuck at, of a cluster of h1 and h2 (rack a) and h3 (rack b), each of 2 cpus and 1024 MiB. */
export const holders: readonly Definition[] = [
  sleeper('/shop/holder', {
    instances: 3,
    networks: [{ mode: 'host' }],
    requirePorts: true,
    portDefinitions: [{ port: 31_500 }],
    constraints: [['hostname', 'UNIQUE']],
  }),
  sleeper('/shop/filler', { instances: 3, cpus: 1, constraints: [['hostname', 'UNIQUE']] }),
  sleeper('/on-h3', {
    instances: 1,
    constraints: [['hostname', 'CLUSTER', 'h3']],
    unreachableStrategy: 'disabled',
  }),
];

export const networks = [{ name: 'tiny', cidr: '100.65.2.0/28', agentPrefix: 30, backend: 'host-gw' }];

/** With every machine up. */
export const stuckApps: readonly Stuck[] = [
  stuck('more cpus than any machine has', sleeper('/cpus', { cpus: 64 }), [
    /needs 64 cpus/,
    /fits on h\d if it had 64 cpus \(it has 2 in all\)/,
  ]),
  stuck('more cpus than are free', sleeper('/busy', { cpus: 1.5 }), [
    /needs 1\.5 cpus, h1 has 0\.\d+ free/,
    /fits on h\d if 0\.\d+ more cpus were free/,
  ]),
  stuck('more memory than any machine has', sleeper('/mem', { mem: 9_999 }), [
    /needs 9999 MiB of memory/,
    /it had 9999 MiB of memory \(it has 1024 in all\)/,
  ]),
  stuck(
    'more instances than machines',
    sleeper('/unique', { instances: 4, constraints: [['hostname', 'UNIQUE']] }),
    [
      /1 instance of \/unique waits because none of 3 machines fits/,
      /hostname:UNIQUE: h1 has hostname=h1 \(UnfulfilledConstraint\)/,
    ],
  ),
  stuck('no machine of this attribute', sleeper('/like', { constraints: [['rack', 'LIKE', 'c.*']] }), [
    /rack:LIKE:c\.\*: h1 has rack=a/,
    /h3 has rack=b/,
  ]),
  stuck('no machine of this value', sleeper('/cluster', { constraints: [['zone', 'CLUSTER', 'west']] }), [
    /zone:CLUSTER:west: h1 has no attribute zone/,
  ]),
  stuck(
    'at most so many in a rack',
    sleeper('/max', { instances: 3, constraints: [['rack', 'MAX_PER', '1']] }),
    [/1 instance of \/max waits/, /rack:MAX_PER:1: h1 has rack=a/],
  ),
  stuck(
    'a host port that another app has',
    sleeper('/port', {
      networks: [{ mode: 'host' }],
      requirePorts: true,
      portDefinitions: [{ port: 31_500 }],
    }),
    [/port 31500 of h1 is taken/, /fits on h\d if port 31500 were free, held by \/shop\/holder/],
  ),
  stuck(
    'more host ports than a machine has',
    sleeper('/ports', {
      networks: [{ mode: 'host' }],
      portDefinitions: Array.from({ length: 1_100 }, () => ({ port: 0 })),
    }),
    [/needs 1100 host ports, h1 has \d+ free/, /fits on h\d if \d+ more of its ports were free/],
  ),
  stuck(
    'no address left in its network',
    sleeper('/crowd', {
      instances: 2,
      networks: [{ mode: 'container', name: 'tiny' }],
      constraints: [['hostname', 'CLUSTER', 'h1']],
    }),
    [/no (free )?(IP )?address/i, /tiny/],
  ),
  stuck(
    'an image that is not there',
    sleeper('/image', { container: { type: 'DOCKER', docker: { image: '127.0.0.1:1/no/such:image' } } }),
    [/next try is in \d+ s/, /127\.0\.0\.1:1\/no\/such:image.*refused/s],
  ),
  stuck('a program that ends again and again', sleeper('/crash', { cmd: 'echo no database >&2; exit 3' }), [
    /1 instance of \/crash waits: the last one failed, the next try is in \d+ s/,
    /Last failure, on h\d: exit code 3/,
  ]),
  stuck('a program that is not there', sleeper('/nothing', { cmd: undefined, args: ['/no/such/program'] }), [
    /Last failure, on h\d: .*\/no\/such\/program/,
  ]),
  stuck(
    'a folder that is not there',
    sleeper('/folder', {
      container: {
        type: 'MESOS',
        volumes: [{ containerPath: '/mnt/x', hostPath: '/no/such/folder', mode: 'RO' }],
      },
    }),
    [/Last failure, on h\d: .*\/no\/such\/folder/],
  ),
  stuck(
    'a health check that fails',
    script('/sick', [], {
      container: { type: 'MESOS', portMappings: [{ containerPort: 9_000 }] },
      healthChecks: [{ ...healthCheck, gracePeriodSeconds: 0, maxConsecutiveFailures: 0 }],
    }),
    [/its health check on h\d failed \d+ times? in a row: .*(refused|ECONNREFUSED)/],
  ),
  stuck(
    'a health check that has not passed yet',
    script('/warming', [], {
      container: { type: 'MESOS', portMappings: [{ containerPort: 9_000 }] },
      healthChecks: [{ ...healthCheck, gracePeriodSeconds: 300 }],
    }),
    [/running on h\d, 0 of 1 health checks passed/],
  ),
  {
    cause: 'an app it depends on',
    id: '/team/web',
    as: 'group',
    definition: {
      id: '/team',
      apps: [sleeper('/team/db', { cpus: 32 }), sleeper('/team/web', { dependencies: ['/team/db'] })],
    },
    says: [/\/team\/web waits for its turn/, /its turn comes after \/team\/db/],
  },
  {
    cause: 'a group it depends on, three steps back',
    id: '/chain/last',
    as: 'group',
    definition: {
      id: '/chain',
      apps: [
        sleeper('/chain/first', { constraints: [['rack', 'LIKE', 'none']] }),
        sleeper('/chain/middle', { dependencies: ['/chain/first'] }),
        sleeper('/chain/last', { dependencies: ['/chain/middle'] }),
      ],
    },
    says: [/its turn comes after \/chain\/first/],
  },
];

/** With h3 drained. */
export const stuckWhileDrained = stuck(
  'the only machine that would do is drained',
  sleeper('/drained', { constraints: [['rack', 'LIKE', 'b']] }),
  [/h3 is being drained/, /fits on h3 if it were not being drained/],
);

/** With h3 gone. */
export const stuckUnreachable: Pick<Stuck, 'cause' | 'id' | 'says'> = {
  cause: 'its machine is not heard of',
  id: '/on-h3',
  says: [/nothing is heard of h3, the instance is unreachable/],
};

function stuck(cause: string, definition: Definition, says: readonly RegExp[]): Stuck {
  return { cause, id: definition.id, definition, says };
}

function sleeper(id: string, more: object): Definition {
  return {
    id,
    cmd: 'exec sleep 100000',
    cpus: 0.01,
    mem: 16,
    portDefinitions: [],
    backoffFactor: 2,
    ...more,
  };
}
