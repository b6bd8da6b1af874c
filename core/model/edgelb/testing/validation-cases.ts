export const service = { marathon: { serviceID: '/web' }, endpoint: { portName: 'http' } };
export const backend = { name: 'web', protocol: 'HTTP', services: [service] };
export const frontend = { bindPort: 80, protocol: 'HTTP', linkBackend: { defaultBackend: 'web' } };

type Json = Readonly<Record<string, unknown>>;

/** A pool that is right, changed in one place. */
export function poolWith({
  of = {},
  in: inFrontend = {},
  backendIs = {},
  serviceIs = {},
}: Record<string, Json>) {
  return {
    name: 'web-lb',
    haproxy: {
      frontends: [{ ...frontend, ...inFrontend }],
      backends: [{ ...backend, services: [{ ...service, ...serviceIs }], ...backendIs }],
    },
    ...of,
  };
}

/** What makes it wrong, where, the words of the message, and the nearest thing that is right. */
export const validationCases: readonly (readonly [
  string,
  Record<string, Json>,
  string,
  Record<string, Json>,
])[] = [
  ['pool name', { of: { name: 'Web' } }, "/name pool name 'Web' must be", { of: { name: 'w' } }],
  ['end of a pool name', { of: { name: 'web-' } }, "/name pool name 'web-'", { of: { name: 'w-b' } }],
  ['missing name', { of: { name: null as never } as Json }, '/name pool name is missing', {}],
  [
    'namespace',
    { of: { namespace: 'a//b' } },
    "/namespace pool namespace 'a//b'",
    { of: { namespace: '/a/b-c' } },
  ],
  ['haproxy', { of: { haproxy: null as never } as Json }, '/haproxy haproxy is missing', {}],
  [
    'port over 65535',
    { in: { bindPort: 65_536 } },
    '/haproxy/frontends/0/bindPort must be',
    { in: { bindPort: 65_535 } },
  ],
  [
    'no bindPort',
    { in: { bindPort: null as never } as Json },
    '/haproxy/frontends/0/bindPort',
    { in: { bindPort: 0 } },
  ],
  [
    'port of the statistics',
    { in: { bindPort: 9090 } },
    '/haproxy/stats/bindPort port 9090 is bound more than once',
    { in: { bindPort: 9091 } },
  ],
  [
    'secret without file',
    { of: { secrets: [{ secret: 's' }] as never } as Json },
    "/secrets/0/file secret 's' has no file",
    { of: { secrets: [{ secret: 's', file: 'f' }] as never } as Json },
  ],
  [
    'file of a secret',
    { of: { secrets: [{ secret: 's', file: '-f' }] as never } as Json },
    '/secrets/0/file',
    { of: { secrets: [{ secret: 's', file: 'f-1_b' }] as never } as Json },
  ],
  [
    'one file of two secrets',
    {
      of: {
        secrets: [
          { secret: 's', file: 'f' },
          { secret: 'x', file: 'f' },
        ] as never,
      } as Json,
    },
    "/secrets secret file 'f' is used more than once",
    {
      of: {
        secrets: [
          { secret: 's', file: 'f' },
          { secret: 's', file: 'g' },
        ] as never,
      } as Json,
    },
  ],
  [
    'certificate',
    { in: { protocol: 'HTTPS', certificates: ['f.pem'] as never } as Json },
    '/haproxy/frontends/0/certificates/0',
    { in: { protocol: 'HTTPS', certificates: ['$SECRETS/f'] as never } as Json },
  ],
  [
    'no certificate',
    { in: { protocol: 'HTTPS' } },
    '/haproxy/frontends/0/certificates frontend',
    { in: { protocol: 'HTTPS', certificates: ['$AUTOCERT'] as never } as Json },
  ],
  [
    'virtual network',
    { of: { virtualNetworks: [{ name: '' }] as never } as Json },
    '/virtualNetworks/0/name',
    { of: { virtualNetworks: [{ name: 'dcos' }] as never } as Json },
  ],
  [
    'missing backend',
    { in: { linkBackend: { defaultBackend: 'wep' } } },
    "/haproxy/frontends/0/linkBackend frontend 'frontend_0.0.0.0_80' refers to missing backend 'wep'",
    {},
  ],
  [
    'unused backend',
    { in: { linkBackend: {} } },
    "/haproxy/backends backends referred to by no frontend: 'web'",
    {},
  ],
  [
    'bindAddress',
    { in: { bindAddress: '*' } },
    '/haproxy/frontends/0/bindAddress',
    { in: { bindAddress: '10.0.0.1' } },
  ],
  [
    'no protocol',
    { in: { protocol: null as never } as Json },
    '/haproxy/frontends/0/protocol',
    { in: { protocol: 'TCP' } },
  ],
  [
    'redirect of TLS',
    { in: { protocol: 'TLS', redirectToHttps: {} } },
    '/haproxy/frontends/0/redirectToHttps',
    { in: { redirectToHttps: {} } },
  ],
  [
    'entry without backend',
    { in: { linkBackend: { defaultBackend: 'web', map: [{ hostEq: 'a' }] } as never } as Json },
    '/haproxy/frontends/0/linkBackend/map/0/backend',
    {},
  ],
  [
    'entry without condition',
    { in: { linkBackend: { map: [{ backend: 'web' }] } as never } as Json },
    '/haproxy/frontends/0/linkBackend/map/0 ',
    { in: { protocol: 'TCP', linkBackend: { map: [{ backend: 'web' }] } as never } as Json },
  ],
  [
    'host in capitals',
    { in: { linkBackend: { map: [{ backend: 'web', hostEq: 'A' }] } as never } as Json },
    '/haproxy/frontends/0/linkBackend/map/0/hostEq',
    { in: { linkBackend: { map: [{ backend: 'web', hostReg: '^\\Sa$' }] } as never } as Json },
  ],
  [
    'expression',
    { in: { linkBackend: { map: [{ backend: 'web', pathReg: '(' }] } as never } as Json },
    '/haproxy/frontends/0/linkBackend/map/0/pathReg',
    { in: { linkBackend: { map: [{ backend: 'web', pathReg: '^/a' }] } as never } as Json },
  ],
  [
    "backend's protocol",
    { backendIs: { protocol: null as never } as Json },
    '/haproxy/backends/0/protocol',
    { backendIs: { protocol: 'TLS' } },
  ],
  [
    'no services',
    { backendIs: { services: [] as never } as Json },
    "/haproxy/backends/0/services backend 'web': no services",
    {},
  ],
  [
    'no selector',
    { serviceIs: { marathon: {} } },
    '/haproxy/backends/0/services/0 ',
    { serviceIs: { marathon: { serviceIDPattern: '^/w' } } },
  ],
  [
    'framework without task',
    { serviceIs: { marathon: {}, mesos: { frameworkName: 'm' } } },
    '/haproxy/backends/0/services/0 ',
    { serviceIs: { marathon: {}, mesos: { frameworkName: 'm', taskNamePattern: 't' } } },
  ],
  [
    'address',
    { serviceIs: { marathon: {}, endpoint: { type: 'ADDRESS', port: 1 } } },
    '/haproxy/backends/0/services/0/endpoint/address',
    { serviceIs: { marathon: {}, endpoint: { type: 'ADDRESS', address: 'a.b', port: 1 } } },
  ],
  [
    'port of an address',
    { serviceIs: { endpoint: { type: 'ADDRESS', address: 'a' } } },
    '/haproxy/backends/0/services/0/endpoint/port',
    {},
  ],
  [
    'no port',
    { serviceIs: { endpoint: {} } },
    '/haproxy/backends/0/services/0/endpoint ',
    { serviceIs: { endpoint: { allPorts: true } } },
  ],
  [
    'two ways to ports',
    { serviceIs: { endpoint: { portName: 'a', port: 1 } } },
    '/haproxy/backends/0/services/0/endpoint ',
    { serviceIs: { endpoint: { port: 0 } } },
  ],
  [
    'secret without name',
    { of: { secrets: [{ file: 'f' }] as never } as Json },
    "/secrets/0/secret secret for file 'f' has no name",
    { of: { secrets: [{ secret: 's', file: 'f' }] as never } as Json },
  ],
  [
    'virtual networks of one name',
    { of: { virtualNetworks: [{ name: 'dcos' }, { name: 'dcos' }] as never } as Json },
    "/virtualNetworks virtual network 'dcos' is named more than once",
    { of: { virtualNetworks: [{ name: 'dcos' }, { name: 'other' }] as never } as Json },
  ],
  [
    'frontends of one name',
    {
      of: { haproxy: { frontends: twice(frontend, { name: 'in' }, { bindPort: 81 }), backends: [backend] } },
    },
    "/haproxy/frontends duplicate frontend name 'in'",
    { of: { haproxy: { frontends: twice(frontend, {}, { bindPort: 81 }), backends: [backend] } } },
  ],
  [
    'backends of one name',
    { of: { haproxy: { frontends: [frontend], backends: twice(backend, {}, {}) } } },
    "/haproxy/backends duplicate backend name 'web'",
    {},
  ],
  [
    'frontends of one port',
    { of: { haproxy: { frontends: twice(frontend, {}, { name: 'b' }), backends: [backend] } } },
    '/haproxy/frontends/1/bindPort port 80 is bound more than once',
    {
      of: {
        haproxy: {
          frontends: twice({ ...frontend, bindPort: 0 }, { name: 'a' }, { name: 'b' }),
          backends: [backend],
        },
      },
    },
  ],
  [
    'port that is none',
    { of: { ports: [70_000] as never } as Json },
    '/ports/0 must be',
    { of: { ports: [80, 9090] as never } as Json },
  ],
  [
    'redirect of HTTPS',
    { in: { protocol: 'HTTPS', certificates: ['$AUTOCERT'] as never, redirectToHttps: {} } as Json },
    '/haproxy/frontends/0/redirectToHttps',
    { in: { redirectToHttps: { except: [{ host: 'a', pathBeg: '/b' }] as never } } as Json },
  ],
];

/** The same with these changes, and again with more of them. */
function twice(one: Json, changes: Json, others: Json): never {
  return [
    { ...one, ...changes },
    { ...one, ...changes, ...others },
  ] as never;
}
