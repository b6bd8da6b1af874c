import { isIP } from 'node:net';
import type { App } from '../model/app.ts';
import { type PortRequest, portsOf } from '../model/ports.ts';
import type { BasicAuth, Route, RouteBalance, RouteOptions } from '../model/route.ts';

/** The edge group whose apps Weir's edge exposes. */
export const externalGroup = 'external';

/** A label that does not do what its author may expect. `no route`: its port is not public because of it. */
export type LabelFault = {
  readonly label: string;
  readonly effect: 'ignored' | 'no route';
  readonly reason: string;
};

export type RouteLabels = { readonly routes: readonly Route[]; readonly faults: readonly LabelFault[] };

/** Routes an app declares by marathon-lb labels, `HAPROXY_GROUP` with `HAPROXY_{n}_VHOST` and more (ingress.md B2). */
export function readRouteLabels(app: App): RouteLabels {
  const read = portsOf(app)
    .filter((port) => isPublic(app, port))
    .map((port) => readPort(app, port));
  return { routes: read.flatMap(({ routes }) => routes), faults: read.flatMap(({ faults }) => faults) };
}

function isPublic(app: App, port: PortRequest): boolean {
  const groups = words(labelOf(app, port, 'GROUP') ?? app.labels['HAPROXY_GROUP'], ',');
  const enabled = (labelOf(app, port, 'ENABLED') ?? 'true').toLowerCase() !== 'false';
  return enabled && (groups.includes(externalGroup) || groups.includes('*'));
}

function readPort(app: App, port: PortRequest): RouteLabels {
  const label = (name: string) => labelOf(app, port, name);
  const prefix = `HAPROXY_${port.index}_`;
  const faults = Object.keys(app.labels)
    .filter((name) => name.startsWith(prefix))
    .flatMap((name) => faultOf(name.slice(prefix.length), app.labels[name] ?? ''))
    .map((fault) => ({ ...fault, label: prefix + fault.label }));
  if (faults.some(({ effect }) => effect === 'no route')) return { routes: [], faults };
  const { ignoreCase, prefixes } = pathsOf(label('PATH'));
  const weight = label('BACKEND_WEIGHT');
  const options = optionsOf(label);
  const routes = words(label('VHOST'), ',').flatMap((vhost) =>
    prefixes.map((pathPrefix) => ({
      id: `app:${app.id}:${port.index}:${vhost.toLowerCase()}${pathPrefix}`,
      host: vhost.toLowerCase(),
      pathPrefix,
      ...(ignoreCase && { ignoreCase }),
      ...(weight !== undefined && isWhole(weight) && { weight: Number(weight) }),
      service: { appId: app.id, portIndex: port.index },
      owner: `app:${app.id}`,
      ...(Object.keys(options).length > 0 && { options }),
    })),
  );
  return { routes, faults };
}

function labelOf(app: App, port: PortRequest, name: string): string | undefined {
  return app.labels[`HAPROXY_${port.index}_${name}`];
}

function pathsOf(text: string | undefined) {
  const all = words(text, /\s+/);
  const paths = all.filter((path) => path.startsWith('/'));
  return { ignoreCase: all[0] === '-i', prefixes: paths.length === 0 ? ['/'] : paths };
}

function optionsOf(label: (name: string) => string | undefined): RouteOptions {
  const allow = words(label('BACKEND_NETWORK_ALLOWED_ACL'), /\s+/);
  const stripPrefix = label('HTTP_BACKEND_PROXYPASS_PATH');
  const locationPrefix = label('HTTP_BACKEND_REVPROXY_PATH');
  const rootTo = label('HTTP_BACKEND_REDIR');
  const balance = balances.get(label('BALANCE') ?? '');
  const auth = authOf(label('AUTH') ?? '');
  return {
    ...(isTrue(label('REDIRECT_TO_HTTPS')) && { redirectToHttps: true }),
    ...(isTrue(label('USE_HSTS')) && { hsts: true }),
    ...(auth !== undefined && { auth }),
    ...(allow.length > 0 && { allow }),
    ...(stripPrefix !== undefined && { stripPrefix }),
    ...(locationPrefix !== undefined && { locationPrefix }),
    ...(rootTo !== undefined && { rootTo }),
    ...(isTrue(label('STICKY')) && { sticky: true }),
    ...(balance !== undefined && { balance }),
  };
}

function authOf(text: string): BasicAuth | undefined {
  const [, realm, user, crypted] = authPattern.exec(text) ?? [];
  if (realm === undefined || user === undefined || crypted === undefined) return undefined;
  return { realm, user, crypted };
}

/** At most 99 999 rounds: more would keep an edge from its work. */
const authPattern =
  /^([ !#-9;-[\]-~]+):([!-9;-~]+):(\$[56]\$(?:rounds=\d{4,5}\$)?[^$:\s]{0,16}\$[./0-9A-Za-z]{43,86})$/;

const balances: ReadonlyMap<string, RouteBalance> = new Map([
  ['roundrobin', 'round-robin'],
  ['leastconn', 'least-requests'],
  ['source', 'hash'],
]);

/** For each label that is understood: what is wrong with a value. A label that restricts fails closed. */
const checks: Readonly<Record<string, (value: string) => Omit<LabelFault, 'label'> | undefined>> = {
  GROUP: () => undefined,
  ENABLED: () => undefined,
  VHOST: () => undefined,
  PATH: () => undefined,
  MODE: (value) => (value.toLowerCase() === 'tcp' ? noRoute('the edge serves HTTP only') : undefined),
  BACKEND_WEIGHT: (value) => (isWhole(value) ? undefined : ignored('is not a whole number')),
  REDIRECT_TO_HTTPS: booleanFault,
  USE_HSTS: booleanFault,
  STICKY: booleanFault,
  BALANCE: (value) =>
    balances.has(value) ? undefined : ignored(`only ${[...balances.keys()].join(', ')} are understood`),
  AUTH: (value) =>
    authOf(value) === undefined
      ? noRoute(
          'is not realm:user:password, the password as crypt(3) makes it with SHA-256 or SHA-512 ($5$, $6$)',
        )
      : undefined,
  BACKEND_NETWORK_ALLOWED_ACL: (value) =>
    words(value, /\s+/).every(isRange)
      ? undefined
      : noRoute('not all are addresses or ranges such as 10.0.0.0/8'),
  HTTP_BACKEND_PROXYPASS_PATH: pathFault,
  HTTP_BACKEND_REVPROXY_PATH: pathFault,
  HTTP_BACKEND_REDIR: pathFault,
  PORT: () => ignored('the edge has no port for each service; virtual hosts and virtual IPs reach it'),
  SSL_CERT: () => ignored('certificates are chosen by server name'),
};

function faultOf(name: string, value: string): readonly LabelFault[] {
  const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
  const fault = check === undefined ? ignored('is not understood') : check(value);
  return fault === undefined ? [] : [{ label: name, ...fault }];
}

function booleanFault(value: string) {
  return /^(true|false)$/i.test(value) ? undefined : ignored('is neither true nor false');
}

/** Visible characters only: the text becomes part of a head. */
function pathFault(value: string) {
  return /^\/[!-~]*$/.test(value) ? undefined : noRoute('is not a path that begins with /');
}

function ignored(reason: string) {
  return { effect: 'ignored', reason } as const;
}

function noRoute(reason: string) {
  return { effect: 'no route', reason } as const;
}

function isTrue(value: string | undefined): boolean {
  return value?.toLowerCase() === 'true';
}

function isWhole(text: string): boolean {
  return /^-?\d{1,9}$/.test(text);
}

function isRange(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  const fits = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
  return bits > 0 && fits && rest.length === 0;
}

function words(text: string | undefined, separator: string | RegExp): readonly string[] {
  return (text ?? '')
    .split(separator)
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
