import { isIP } from 'node:net';
import { isRange } from '../model/route-shapes.ts';
import { balanceNames, balanceOption } from './label-balance.ts';
import { bindOptions } from './label-listeners.ts';
import { authOf, hostsOf, isTrue, words } from './label-values.ts';

/** A label that does not do what its author may expect. `no route`: its port is not public because of it. */
export type LabelFault = {
  readonly label: string;
  readonly effect: 'ignored' | 'no route';
  readonly reason: string;
};

type Fault = Omit<LabelFault, 'label'>;

/** What is wrong with a label of a port, by the name behind its number. A label that restricts fails closed. */
export function labelFault(name: string, value: string): Fault | undefined {
  const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
  if (check !== undefined) return check(value);
  return templates.test(name)
    ? ignored(
        'is text for HAProxy that the edge cannot carry out; docs/how-to/route-requests.md lists what it can',
      )
    : ignored('is not understood');
}

export function ignored(reason: string): Fault {
  return { effect: 'ignored', reason };
}

export function noRoute(reason: string): Fault {
  return { effect: 'no route', reason };
}

const fine = () => undefined;
const checks: Readonly<Record<string, (value: string) => Fault | undefined>> = {
  GROUP: fine,
  ENABLED: fine,
  VHOST: (value) => {
    const { wrong } = hostsOf(value);
    return wrong.length === 0 ? undefined : ignored(`"${wrong.join('" and "')}" can be no host`);
  },
  PATH: (value) => {
    const wrong = words(value.replace(/^\s*-i(?=\s|$)/, ''), /\s+/).filter((path) => !path.startsWith('/'));
    return wrong.length === 0 ? undefined : ignored(`no path begins with "${wrong.join('" or "')}"`);
  },
  // Looked at with the health checks of the app.
  MODE: fine,
  BACKEND_WEIGHT: (value) => (isWhole(value) ? undefined : ignored('is not a whole number')),
  REDIRECT_TO_HTTPS: booleanFault,
  USE_HSTS: booleanFault,
  STICKY: booleanFault,
  BALANCE: (value) =>
    balanceOption(value) === undefined ? ignored(`only ${balanceNames} are understood`) : undefined,
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
  BACKEND_HEALTHCHECK_PORT_INDEX: (value) =>
    /^\d{1,3}$/.test(value) ? undefined : ignored('is not the index of a port'),
  HTTP_BACKEND_PROXYPASS_PATH: pathFault,
  HTTP_BACKEND_REVPROXY_PATH: pathFault,
  HTTP_BACKEND_REDIR: pathFault,
  PORT: (value) =>
    /^\d{1,5}$/.test(value) && Number(value) > 0 && Number(value) <= 65_535
      ? undefined
      : ignored('is not a port'),
  BIND_ADDR: (value) =>
    value === '*' || isIP(value) !== 0 ? undefined : ignored('is neither an IP address nor *'),
  BIND_OPTIONS: (value) => {
    const { rest } = bindOptions(value);
    return rest.length === 0 ? undefined : ignored(`"${rest.join(' ')}" is not among what the edge can do`);
  },
  SSL_CERT: () => ignored('makes the port speak TLS; certificates are chosen by server name'),
  // Their lines are judged one by one.
  BACKEND_HEAD: fine,
  BACKEND_HTTP_OPTIONS: fine,
  BACKEND_HSTS_OPTIONS: fine,
  BACKEND_STICKY_OPTIONS: fine,
  BACKEND_HTTP_HEALTHCHECK_OPTIONS: fine,
  BACKEND_TCP_HEALTHCHECK_OPTIONS: fine,
  BACKEND_SERVER_HTTP_HEALTHCHECK_OPTIONS: fine,
  BACKEND_SERVER_TCP_HEALTHCHECK_OPTIONS: fine,
  BACKEND_SERVER_OPTIONS: fine,
};

/** The templates of marathon-lb (ingress.md B3). */
const templates =
  /^(FRONTEND_HEAD|BACKEND_\w+|USERLIST_HEAD|FRONTEND_BACKEND_GLUE|(MAP_)?HTTPS?_FRONTEND_\w+|(HTTP|TCP)_BACKEND_\w+)$/;

export function isWhole(text: string): boolean {
  return /^-?\d{1,9}$/.test(text);
}

function booleanFault(value: string): Fault | undefined {
  return isTrue(value) || /^(false|f|no|n)$/i.test(value) ? undefined : ignored('is neither true nor false');
}

/** Visible characters only: the text becomes part of a head. */
function pathFault(value: string): Fault | undefined {
  return /^\/[!-~]*$/.test(value) ? undefined : noRoute('is not a path that begins with /');
}
