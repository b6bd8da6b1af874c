import {
  flag,
  listOf,
  mapOf,
  mapped,
  may,
  needed,
  oneOf,
  type Reader,
  type ShapeFault,
  shaped,
  text,
  where,
  whole,
} from '../kit/shape.ts';
import type {
  ActiveCheck,
  BasicAuth,
  CertificateFields,
  ClientCertificate,
  Compression,
  FieldEdits,
  ForwardAuth,
  HashBy,
  Maintenance,
  Mirror,
  PathRewrite,
  Redirect,
  Retries,
  Route,
  RouteConditions,
  RouteLimits,
  RouteOptions,
  RouteShare,
  RouteTimeouts,
  UpstreamTls,
} from './route.ts';
import * as read from './route-shapes.ts';

/** A route as an operator declares it, without what follows from it. */
export type DeclaredRoute = Omit<Route, 'owner'>;

export type ReadRoute =
  | { readonly kind: 'route'; readonly route: DeclaredRoute }
  | { readonly kind: 'faults'; readonly faults: readonly ShapeFault[] };

/** Reads a route definition (docs/how-to/route-requests.md): all its faults together, each with its path. */
export function readRoute(value: unknown): ReadRoute {
  const faults: ShapeFault[] = [];
  const definition = definitionShape(value, '', faults);
  if (definition === undefined) return { kind: 'faults', faults };
  return { kind: 'route', route: routeOf(definition) };
}

/** The definition that `readRoute` makes this route of. */
export function renderRoute(route: DeclaredRoute): Readonly<Record<string, unknown>> {
  const {
    id,
    service,
    table,
    pathPrefix,
    pathKind,
    ignoreCase,
    conditions,
    weight,
    options = {},
    host,
  } = route;
  const { split, mirror, forwardAuth, ...others } = options;
  return {
    id,
    ...(table !== undefined && { table }),
    host,
    path: pathPrefix,
    ...(pathKind && { pathKind }),
    ...(ignoreCase && { ignoreCase }),
    ...conditions,
    ...(weight !== undefined && { weight }),
    ...rendered(service),
    ...others,
    ...(split && { split: split.map(({ share, service: to }) => ({ ...rendered(to), share })) }),
    ...(mirror && { mirror: { ...rendered(mirror.service), percent: mirror.percent } }),
    ...(forwardAuth && { forwardAuth: { ...forwardAuth, service: rendered(forwardAuth.service) } }),
  };
}

function rendered({ appId, portIndex }: Route['service']) {
  return appId === nowhere ? {} : { app: appId, portIndex };
}

/** No app has this id. */
export const nowhere = '/';

type Definition = Pick<RouteConditions, 'methods' | 'headers' | 'query'> &
  RouteOptions & {
    readonly id?: string;
    readonly table?: string;
    readonly host: string;
    readonly path?: string;
    readonly pathKind?: 'prefix' | 'exact' | 'begins' | 'regex';
    readonly ignoreCase?: boolean;
    readonly weight?: number;
    readonly app?: string;
    readonly portIndex?: number;
  };

function routeOf(definition: Definition): DeclaredRoute {
  const {
    id,
    table,
    host,
    path = '/',
    pathKind,
    ignoreCase,
    weight,
    app = nowhere,
    portIndex = 0,
    ...rest
  } = definition;
  const { methods, headers, query, ...options } = rest;
  const conditions = { ...(methods && { methods }), ...(headers && { headers }), ...(query && { query }) };
  return {
    id: id ?? `${table === undefined ? '' : `${table}|`}${path === '/' ? host : `${host}${path}`}`,
    ...(table !== undefined && { table }),
    host,
    pathPrefix: path,
    ...(pathKind !== undefined && pathKind !== 'prefix' && { pathKind }),
    ...(ignoreCase === true && { ignoreCase }),
    ...(Object.keys(conditions).length > 0 && { conditions }),
    ...(weight !== undefined && { weight }),
    service: { appId: app, portIndex },
    ...(Object.keys(options).length > 0 && { options }),
  };
}

const edits = shaped<FieldEdits>({
  remove: may(listOf(read.fieldName, 100)),
  set: may(mapOf(read.fieldName, read.fieldText)),
  add: may(mapOf(read.fieldName, read.fieldText)),
});

const redirect = shaped<Redirect>({
  status: needed(oneOf(301, 302, 303, 307, 308)),
  scheme: may(oneOf('http', 'https')),
  host: may(read.hostName),
  port: may(whole(1, 65_535)),
  path: may(read.path),
  prefix: may(read.path),
});

const maintenance = shaped<Maintenance>({
  status: may(whole(200, 599)),
  text: may(text(/^[\s\S]{0,100000}$/, 'a text of at most 100000 characters')),
  contentType: may(read.line),
  retryAfterSeconds: may(whole(1, 10_000_000)),
  except: may(listOf(read.address)),
});

const limits = shaped<RouteLimits>({
  perSecond: may(read.count),
  burst: may(read.count),
  concurrent: may(read.count),
  clientPerSecond: may(read.count),
  clientBurst: may(read.count),
  clientConcurrent: may(read.count),
});

const clientCertificate = shaped<ClientCertificate>({
  authorities: needed(read.authorities),
  optional: may(read.only),
  field: may(read.fieldName),
  fields: may(
    shaped<CertificateFields>({
      issuer: may(read.fieldName),
      serial: may(read.fieldName),
      fingerprint: may(read.fieldName),
      certificate: may(read.fieldName),
    }),
  ),
});
const auth = shaped<BasicAuth>({
  realm: needed(text(/^[ !#-[\]-~]+$/, 'a realm without quotes')),
  user: needed(text(/^[!-9;-~]+$/, 'a user name without colon')),
  crypted: needed(
    text(
      /^\$[56]\$(?:rounds=\d{4,5}\$)?[^$:\s]{0,16}\$[./0-9A-Za-z]{43,86}$/,
      'a password as crypt(3) makes it with SHA-256 or SHA-512 ($5$, $6$)',
    ),
  ),
});

const forwardAuth = shaped<ForwardAuth>({
  service: needed(read.service),
  path: needed(text(/^\/[!"$-~]*$/, 'a path that begins with /')),
  copy: may(listOf(read.fieldName, 50)),
});

const rewritePath: Reader<PathRewrite> = (value, path, faults) => {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (keys.includes('regex')) return regexRewrite(value, path, faults);
  if (keys.includes('from')) return fromTo(value, path, faults);
  return shaped<{ prefix: string }>({ prefix: needed(read.path) })(value, path, faults);
};

const fromTo = shaped<{ from: string; to: string }>({
  from: needed(read.path),
  to: needed(text(/^[!"$-~]*$/, 'a path, or nothing')),
});

const regexRewrite = where(
  shaped<{ regex: string; with: string }>({
    regex: needed(read.expression),
    with: needed(text(/^[!"$->@-~]*$/, 'a path, which may name groups as $1')),
  }),
  ({ regex, with: text }) => {
    const named = [...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number));
    const most = read.groupsOf(regex);
    if (/\$(?!\d)/.test(text) || text.includes('\\')) return 'can use $ only before the number of a group';
    return named.some((number) => number > most)
      ? `names a group that is not there: it has ${most}`
      : undefined;
  },
);

const split: Reader<readonly RouteShare[]> = listOf(
  mapped(
    shaped<{ app: string; portIndex?: number; share: number }>({
      app: needed(read.appId()),
      portIndex: may(whole(0, 1_000)),
      share: needed(whole(0, 1_000_000)),
    }),
    ({ app, portIndex = 0, share }) => ({ service: { appId: app, portIndex }, share }),
  ),
  20,
);

const mirror: Reader<Mirror> = mapped(
  shaped<{ app: string; portIndex?: number; percent?: number }>({
    app: needed(read.appId()),
    portIndex: may(whole(0, 1_000)),
    percent: may(read.percent),
  }),
  ({ app, portIndex = 0, percent = 100 }) => ({ service: { appId: app, portIndex }, percent }),
);

const compress = shaped<Compression>({
  types: may(listOf(text(/^[a-z]+\/([a-z0-9.+-]+|\*)$/i, 'a media type'), 100)),
  minBytes: may(whole(0, 100_000_000)),
});

const hashBy = where(
  shaped<HashBy>({
    from: needed(oneOf('address', 'header', 'cookie', 'query', 'path')),
    name: may(read.plainName),
  }),
  ({ from, name }) =>
    ['header', 'cookie', 'query'].includes(from) && name === undefined
      ? `needs the name of the ${from}`
      : undefined,
);

const retries = shaped<Retries>({
  attempts: may(whole(0, 10)),
  statuses: may(listOf(whole(400, 599), 50)),
  budgetPercent: may(read.percent),
});

const tls = where(
  shaped<UpstreamTls>({
    authorities: may(read.authorities),
    serverName: may(text(/^[A-Za-z0-9_.:-]{1,253}$/, 'a host name or an address')),
    insecure: may(read.only),
    certificate: may(text(/^[!-~]{1,200}$/, 'the name of a certificate')),
  }),
  ({ insecure, authorities }) =>
    insecure && authorities !== undefined
      ? 'cannot have authorities that are not asked (insecure)'
      : undefined,
);

const timeouts = shaped<RouteTimeouts>({
  connectMs: may(read.ms),
  firstByteMs: may(read.ms),
  idleMs: may(read.ms),
  totalMs: may(read.ms),
});

const check = shaped<ActiveCheck>({
  path: may(read.path),
  host: may(read.hostName),
  portIndex: may(whole(0, 1_000)),
  intervalMs: may(whole(100, 3_600_000)),
  timeoutMs: may(whole(10, 600_000)),
  fall: may(whole(1, 100)),
  rise: may(whole(1, 100)),
  panicPercent: may(read.percent),
});

const plainDefinition = shaped<Definition>({
  id: may(text(/^[!-~]{1,500}$/, 'an id without spaces')),
  table: may(read.tableName),
  host: needed(read.hostName),
  // Read once more, by `pathFault`.
  path: may(text(/^[\s\S]*$/, 'a path')),
  pathKind: may(oneOf('prefix', 'exact', 'begins', 'regex')),
  ignoreCase: may(flag),
  weight: may(whole(-1_000_000, 1_000_000)),
  app: may(read.appId()),
  portIndex: may(whole(0, 1_000)),
  methods: may(listOf(text(/^[A-Z][A-Z-]*$/, 'a method in capital letters'), 50)),
  headers: may(read.conditions),
  query: may(read.conditions),
  allow: may(listOf(read.address)),
  deny: may(listOf(read.address)),
  auth: may(auth),
  clientCertificate: may(clientCertificate),
  forwardAuth: may(forwardAuth),
  limits: may(limits),
  redirectToHttps: may(read.only),
  rootTo: may(read.path),
  redirect: may(redirect),
  maintenance: may(maintenance),
  hsts: may(read.only),
  stripPrefix: may(read.path),
  locationPrefix: may(read.path),
  rewriteLocation: may(fromTo),
  rewritePath: may(rewritePath),
  rewriteHost: may(read.hostName),
  requestFields: may(edits),
  answerFields: may(edits),
  compress: may(compress),
  split: may(split),
  ownShare: may(whole(0, 1_000_000)),
  mirror: may(mirror),
  balance: may(oneOf('round-robin', 'least-requests', 'two-choices', 'hash')),
  hashBy: may(hashBy),
  sticky: may(read.only),
  stickyCookie: may(read.plainName),
  retries: may(retries),
  timeouts: may(timeouts),
  check: may(check),
  tls: may(tls),
  sendProxy: may(oneOf('v1', 'v2')),
  protocol: may(oneOf('h2c', 'h2')),
});

const definitionShape: Reader<Definition> = (value, path, faults) => {
  const definition = plainDefinition(value, path, faults);
  const badPath = pathFault(value, path, faults);
  if (definition === undefined || badPath) return undefined;
  if (definition.tls !== undefined && definition.protocol === 'h2c') {
    const error = 'cannot be with the protocol h2c, which is HTTP/2 without TLS; with TLS it is h2';
    faults.push({ path: `${path}/tls`, error });
    return undefined;
  }
  if (definition.tls === undefined && definition.protocol === 'h2') {
    const error = 'h2 is HTTP/2 over TLS, and needs tls ({} will do); without TLS it is h2c';
    faults.push({ path: `${path}/protocol`, error });
    return undefined;
  }
  if (definition.sendProxy !== undefined && definition.protocol !== undefined) {
    const error = 'cannot be with HTTP/2 to endpoints: one connection carries many clients';
    faults.push({ path: `${path}/sendProxy`, error });
    return undefined;
  }
  const answersItself = definition.redirect !== undefined || definition.maintenance !== undefined;
  if (definition.app !== undefined || answersItself) return definition;
  faults.push({
    path: `${path}/app`,
    error: 'is missing: only a route with redirect or maintenance can do without',
  });
  return undefined;
};

/** Which characters a path may have depends on how it is compared. */
function pathFault(value: unknown, path: string, faults: ShapeFault[]): boolean {
  if (typeof value !== 'object' || value === null || !('path' in value)) return false;
  const isRegex = 'pathKind' in value && value.pathKind === 'regex';
  return (isRegex ? read.expression : read.path)(value.path, `${path}/path`, faults) === undefined;
}
