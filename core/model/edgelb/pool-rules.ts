import { frontendFaults } from './frontend-rules.ts';
import type { PoolFault } from './lenient.ts';
import type { Pool, PoolBackend } from './pool.ts';
import { serviceFaults } from './service-rules.ts';

/** What Edge-LB refuses (ingress.md A3); each text names its object. */
export function poolFaults(pool: Pool): readonly PoolFault[] {
  if (pool.haproxy === undefined)
    return [...nameFaults(pool), { path: '/haproxy', error: 'haproxy is missing' }];
  const { frontends, backends } = pool.haproxy;
  return [
    ...nameFaults(pool),
    ...portFaults(pool),
    ...secretFaults(pool),
    ...networkFaults(pool),
    ...frontends.flatMap((frontend, n) => frontendFaults(frontend, `/haproxy/frontends/${n}`)),
    ...backends.flatMap((backend, n) => backendFaults(backend, `/haproxy/backends/${n}`)),
    ...linkFaults(pool),
  ];
}

const word = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

export function nameFault(name: string, what: string): string | undefined {
  if (name === '') return `${what} is missing`;
  return word.test(name)
    ? undefined
    : `${what} ${quoted(name)} must be lower-case letters, digits and dashes, beginning and ending with a letter or digit`;
}

function nameFaults({ name, namespace }: Pool): readonly PoolFault[] {
  const pool = nameFault(name, 'pool name');
  const bad = namespace
    .replace(/^\//, '')
    .split('/')
    .some((part) => !word.test(part));
  return [
    ...(pool === undefined ? [] : [{ path: '/name', error: pool }]),
    ...(bad
      ? [
          {
            path: '/namespace',
            error: `pool namespace ${quoted(namespace)} must be a path of lower-case letters, digits and dashes`,
          },
        ]
      : []),
  ];
}

function portFaults({ ports, haproxy: { stats, frontends } }: Pool): readonly PoolFault[] {
  const binds = [
    ...frontends.map(({ name, bindPort }, n) => ({
      path: `/haproxy/frontends/${n}/bindPort`,
      what: `frontend ${quoted(name)}`,
      port: bindPort,
    })),
    { path: '/haproxy/stats/bindPort', what: 'stats', port: stats.bindPort },
  ];
  const range = [
    ...ports.map((port, n) => ({ path: `/ports/${n}`, what: 'ports', port })),
    ...binds.filter(({ path }) => path.startsWith('/haproxy/stats')),
  ].filter(({ port }) => port < 0);
  const twice = [...Map.groupBy(binds, ({ port }) => port)].filter(
    ([port, same]) => port > 0 && same.length > 1,
  );
  return [
    ...range.map(({ path, what, port }) => ({
      path,
      error: `${what}: port ${port} must be from 0 to 65535`,
    })),
    ...twice.map(([port, same]) => ({
      path: same[1]?.path ?? '',
      error: `port ${port} is bound more than once: by ${same.map(({ what }) => what).join(' and ')}`,
    })),
  ];
}

function secretFaults({ secrets }: Pool): readonly PoolFault[] {
  const single = secrets.flatMap(({ secret, file }, n): readonly PoolFault[] => {
    const path = `/secrets/${n}`;
    if (secret === '')
      return [{ path: `${path}/secret`, error: `secret for file ${quoted(file)} has no name` }];
    if (file === '') return [{ path: `${path}/file`, error: `secret ${quoted(secret)} has no file` }];
    return /^[a-zA-Z0-9][a-zA-Z0-9_-]*$/.test(file)
      ? []
      : [
          {
            path: `${path}/file`,
            error: `secret ${quoted(secret)}: file ${quoted(file)} must be letters, digits, _ and -, beginning with a letter or digit`,
          },
        ];
  });
  const files = twiceNamed(secrets.map(({ file }) => file));
  return [
    ...single,
    ...files.map((file) => ({
      path: '/secrets',
      error: `secret file ${quoted(file)} is used more than once`,
    })),
  ];
}

function networkFaults({ virtualNetworks }: Pool): readonly PoolFault[] {
  const names = virtualNetworks.map(({ name }) => name);
  return [
    ...names.flatMap((name, n) =>
      name === '' ? [{ path: `/virtualNetworks/${n}/name`, error: 'virtual network without a name' }] : [],
    ),
    ...twiceNamed(names).map((name) => ({
      path: '/virtualNetworks',
      error: `virtual network ${quoted(name)} is named more than once`,
    })),
  ];
}

function backendFaults({ name, protocol, services }: PoolBackend, path: string): readonly PoolFault[] {
  return [
    ...(name === '' ? [{ path: `${path}/name`, error: 'backend without a name' }] : []),
    ...(protocol === undefined
      ? [{ path: `${path}/protocol`, error: `backend ${quoted(name)}: protocol is missing` }]
      : []),
    ...(services.length === 0
      ? [{ path: `${path}/services`, error: `backend ${quoted(name)}: no services` }]
      : []),
    ...services.flatMap((service, n) => serviceFaults(service, name, `${path}/services/${n}`)),
  ];
}

function linkFaults({ haproxy: { frontends, backends } }: Pool): readonly PoolFault[] {
  const known = backends.map(({ name }) => name);
  const linked = frontends.flatMap(({ name, linkBackend: { defaultBackend, map } }, n) =>
    [defaultBackend, ...map.map(({ backend }) => backend)]
      .filter((backend) => backend !== '')
      .map((backend) => ({ frontend: name, backend, path: `/haproxy/frontends/${n}/linkBackend` })),
  );
  const missing = linked.filter(({ backend }) => !known.includes(backend));
  const unused = known.filter((name) => name !== '' && !linked.some(({ backend }) => backend === name));
  return [
    ...twiceNamed(frontends.map(({ name }) => name)).map((name) => ({
      path: '/haproxy/frontends',
      error: `duplicate frontend name ${quoted(name)}`,
    })),
    ...twiceNamed(known).map((name) => ({
      path: '/haproxy/backends',
      error: `duplicate backend name ${quoted(name)}`,
    })),
    ...missing.map(({ frontend, backend, path }) => ({
      path,
      error: `frontend ${quoted(frontend)} refers to missing backend ${quoted(backend)}`,
    })),
    ...(unused.length === 0
      ? []
      : [
          {
            path: '/haproxy/backends',
            error: `backends referred to by no frontend: ${unused.map(quoted).join(', ')}`,
          },
        ]),
  ];
}

function twiceNamed(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name, n) => name !== '' && names.indexOf(name) !== n))];
}

function quoted(name: string): string {
  return `'${name}'`;
}
