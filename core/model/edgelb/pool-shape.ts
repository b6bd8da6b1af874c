import { amount, flag, mapOf, oneOf, type Reader, text, whole } from '../../kit/shape.ts';
import { each, lenient, may, or } from './lenient.ts';
import type {
  CustomCheck,
  Frontend,
  LinkRule,
  MarathonSelector,
  MesosSelector,
  Pool,
  PoolBackend,
  PoolEndpointChoice,
  PoolNetwork,
  PoolProxy,
  PoolSecret,
  PoolService,
  RedirectException,
  RewriteHttp,
} from './pool.ts';

/** Types and defaults of ingress.md A2. What is required, and what belongs together, is asked by `pool-rules.ts`. */

const anyText = text(/^[\s\S]{0,65536}$/, 'a text');
const bigText = text(/^[\s\S]{0,1000000}$/, 'a text');
/** Checked by the rules, which name the object. */
const port = whole(-1, 65_535);
const bound = whole(0, 65_535);
const size = whole(0, 100_000_000);
const names = mapOf(anyText, bigText);
const protocol = oneOf('HTTP', 'HTTPS', 'TCP', 'TLS');

const check = lenient<PoolEndpointChoice['check']>({ enabled: or(flag, true), customStr: or(anyText, '') });

const endpoint = lenient<PoolEndpointChoice>({
  type: or(oneOf('AUTO_IP', 'AGENT_IP', 'CONTAINER_IP', 'ADDRESS'), 'AUTO_IP'),
  port: or(port, -1),
  portName: or(anyText, ''),
  allPorts: or(flag, false),
  address: may(anyText),
  check: or(check, { enabled: true, customStr: '' }),
  miscStr: or(anyText, ''),
});

const marathon = lenient<MarathonSelector>({
  serviceID: may(anyText),
  serviceIDPattern: may(anyText),
  containerName: may(anyText),
  containerNamePattern: may(anyText),
});

const mesos = lenient<MesosSelector>({
  frameworkName: may(anyText),
  frameworkNamePattern: may(anyText),
  frameworkID: may(anyText),
  frameworkIDPattern: may(anyText),
  taskName: may(anyText),
  taskNamePattern: may(anyText),
  taskID: may(anyText),
  taskIDPattern: may(anyText),
});

const service = lenient<PoolService>({
  marathon: may(marathon),
  mesos: may(mesos),
  endpoint: or(endpoint, {
    type: 'AUTO_IP',
    port: -1,
    portName: '',
    allPorts: false,
    check: { enabled: true, customStr: '' },
    miscStr: '',
  }),
});

const request = lenient<RewriteHttp['request']>({
  forwardfor: or(flag, true),
  xForwardedPort: or(flag, true),
  xForwardedProtoHttpsIfTls: or(flag, true),
  setHostHeader: or(flag, true),
  rewritePath: or(flag, true),
});

const rewriteHttp = lenient<RewriteHttp>({
  host: may(anyText),
  path: may(
    lenient<{ fromPath?: string; toPath?: string }>({ fromPath: may(anyText), toPath: may(anyText) }),
  ),
  request: or(request, {
    forwardfor: true,
    xForwardedPort: true,
    xForwardedProtoHttpsIfTls: true,
    setHostHeader: true,
    rewritePath: true,
  }),
  response: or(lenient<RewriteHttp['response']>({ rewriteLocation: or(flag, true) }), {
    rewriteLocation: true,
  }),
  sticky: may(
    lenient<{ enabled: boolean; customStr: string }>({
      enabled: or(flag, true),
      customStr: or(anyText, ''),
    }),
  ),
});

const customCheck = lenient<CustomCheck>({
  httpchk: or(flag, false),
  httpchkMiscStr: or(anyText, ''),
  sslHelloChk: or(flag, false),
  miscStr: or(anyText, ''),
});

const backend = lenient<PoolBackend>({
  name: or(anyText, ''),
  protocol: may(protocol),
  balance: or(anyText, 'roundrobin'),
  rewriteHttp: may(rewriteHttp),
  customCheck: may(customCheck),
  miscStrs: or(each(anyText), []),
  services: or(each(service), []),
});

const rule = lenient<LinkRule>({
  backend: or(anyText, ''),
  hostEq: may(anyText),
  hostReg: may(anyText),
  pathBeg: may(anyText),
  pathEnd: may(anyText),
  pathReg: may(anyText),
});

const redirectToHttps = lenient<{ except: readonly RedirectException[] }>({
  except: or(each(lenient<RedirectException>({ host: may(anyText), pathBeg: may(anyText) })), []),
});

const frontend: Reader<Frontend> = (value, path, faults) => {
  const read = lenient<Frontend>({
    name: or(anyText, ''),
    bindAddress: or(anyText, '0.0.0.0'),
    bindPort: or(bound, -1),
    bindModifier: or(anyText, ''),
    certificates: or(each(anyText), []),
    redirectToHttps: may(redirectToHttps),
    miscStrs: or(each(anyText), []),
    protocol: may(protocol),
    linkBackend: or(
      lenient<Frontend['linkBackend']>({ defaultBackend: or(anyText, ''), map: or(each(rule), []) }),
      { defaultBackend: '', map: [] },
    ),
  })(value, path, faults);
  if (read === undefined || read.name !== '') return read;
  return { ...read, name: `frontend_${read.bindAddress}_${read.bindPort}` };
};

const proxy = lenient<PoolProxy>({
  stats: or(lenient<PoolProxy['stats']>({ bindAddress: or(anyText, '0.0.0.0'), bindPort: or(bound, 9090) }), {
    bindAddress: '0.0.0.0',
    bindPort: 9090,
  }),
  frontends: or(each(frontend), []),
  backends: or(each(backend), []),
});

export const poolShape = lenient<Pool>({
  apiVersion: or(oneOf('V2'), 'V2'),
  name: or(anyText, ''),
  namespace: or(anyText, 'dcos-edgelb/pools'),
  packageName: or(anyText, 'edgelb-pool'),
  packageVersion: may(anyText),
  role: or(anyText, 'slave_public'),
  cpus: or(amount(0, 10_000), 0.9),
  cpusAdminOverhead: or(amount(0, 10_000), 0.1),
  mem: or(size, 992),
  memAdminOverhead: or(size, 32),
  disk: or(size, 256),
  count: or<number | null>(whole(0, 100_000), 1),
  constraints: or(anyText, 'hostname:UNIQUE'),
  ports: or(each(bound), []),
  secrets: or(each(lenient<PoolSecret>({ secret: or(anyText, ''), file: or(anyText, '') })), []),
  environmentVariables: or(names, {}),
  autoCertificate: or(flag, false),
  virtualNetworks: or(each(lenient<PoolNetwork>({ name: or(anyText, ''), labels: or(names, {}) })), []),
  haproxy: may(proxy),
  poolHealthcheckGracePeriod: or(size, 180),
  poolHealthcheckInterval: or(size, 12),
  poolHealthcheckMaxFail: or(size, 5),
  poolHealthcheckTimeout: may(size),
  poolhealthcheckTimeout: may(size),
});
