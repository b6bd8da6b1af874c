import type { App } from '../model/app.ts';
import type { HealthCheck } from '../model/health-check.ts';
import type { AppId } from '../model/ids.ts';
import type { PortRequest } from '../model/ports.ts';
import type { RouteOptions } from '../model/route.ts';
import { backendName, servedPort } from './backend-name.ts';
import { merged, type ReadLines, readLines, readServerLines, readServerWords } from './haproxy-lines.ts';
import { ignored, type LabelFault } from './label-faults.ts';
import { isTrue } from './label-values.ts';

export type ReadTemplates = { readonly options: RouteOptions; readonly faults: readonly LabelFault[] };

type Reading = (text: string, values: Readonly<Record<string, string>>) => ReadLines;

/** In the order in which HAProxy would see them. */
const understood: readonly (readonly [string, Reading])[] = [
  ['BACKEND_HEAD', readLines],
  ['BACKEND_HTTP_OPTIONS', readLines],
  ['BACKEND_HSTS_OPTIONS', readLines],
  ['BACKEND_STICKY_OPTIONS', readLines],
  ['BACKEND_HTTP_HEALTHCHECK_OPTIONS', readLines],
  ['BACKEND_TCP_HEALTHCHECK_OPTIONS', readLines],
  ['BACKEND_SERVER_HTTP_HEALTHCHECK_OPTIONS', readServerWords],
  ['BACKEND_SERVER_TCP_HEALTHCHECK_OPTIONS', readServerWords],
  ['BACKEND_SERVER_OPTIONS', readServerLines],
];

/**
 * What the template labels of a port mean, and each of their lines that nothing comes of (ingress.md B3). `id`: the app's, or that of the
 * deployment group it stands for.
 */
export function readTemplates(app: App, port: PortRequest, id: AppId): ReadTemplates {
  const values = valuesFor(app, port, id);
  const of = (name: string) => `HAPROXY_${port.index}_${name}`;
  const given = understood.filter(([name]) => app.labels[of(name)] !== undefined);
  const isOff = (name: string) =>
    Object.hasOwn(switches, name) && !isTrue(app.labels[of(switches[name] ?? '')]);
  const read = given
    .filter(([name]) => !isOff(name))
    .map(([name, reading]) => ({ label: of(name), ...reading(app.labels[of(name)] ?? '', values) }));
  return {
    options: read.reduce<RouteOptions>((all, { options }) => merged(all, options), {}),
    faults: [
      ...read.flatMap(({ label, rest }) =>
        rest.map((line) => ({ label, ...ignored(`"${line}" is not among what the edge can do`) })),
      ),
      ...given
        .filter(([name]) => isOff(name))
        .map(([name]) => ({
          label: of(name),
          ...ignored(`counts only with ${of(switches[name] ?? '')}=true`),
        })),
    ],
  };
}

/** Templates of what another label switches on. */
const switches: Readonly<Record<string, string>> = {
  BACKEND_HSTS_OPTIONS: 'USE_HSTS',
  BACKEND_STICKY_OPTIONS: 'STICKY',
};

/** The balancer's own check at another port of the app, made of that port's health check (ingress.md B2). */
export function portCheck(app: App, port: PortRequest): RouteOptions {
  const index = app.labels[`HAPROXY_${port.index}_BACKEND_HEALTHCHECK_PORT_INDEX`];
  if (index === undefined || !/^\d{1,3}$/.test(index)) return {};
  const check = healthCheckOf(app, Number(index));
  return {
    check: {
      portIndex: Number(index),
      ...(check?.path !== undefined && { path: check.path }),
      ...(check !== undefined && {
        intervalMs: check.intervalSeconds * 1_000,
        timeoutMs: check.timeoutSeconds * 1_000,
        fall: check.maxConsecutiveFailures + 1,
      }),
    },
  };
}

/** The check that asks this port. */
export function healthCheckOf(app: App, portIndex: number): HealthCheck | undefined {
  return app.healthChecks.find(
    (check) => check.protocol !== 'COMMAND' && (check.portIndex ?? 0) === portIndex,
  );
}

function valuesFor(app: App, port: PortRequest, id: AppId): Readonly<Record<string, string>> {
  const check = healthCheckOf(app, port.index);
  const served = servedPort(app, port);
  return {
    backend: backendName(id, served),
    appId: id,
    cleanedUpAppId: id.replace(/[^A-Za-z0-9-]/g, '_'),
    servicePort: String(served ?? 0),
    mode: 'http',
    balance: app.labels[`HAPROXY_${port.index}_BALANCE`] ?? 'roundrobin',
    hostname: app.labels[`HAPROXY_${port.index}_VHOST`] ?? '',
    ...(check !== undefined && {
      healthCheckPath: check.path ?? '/',
      healthCheckTimeoutSeconds: String(check.timeoutSeconds),
      healthCheckIntervalSeconds: String(check.intervalSeconds),
      healthCheckFalls: String(check.maxConsecutiveFailures + 1),
      healthCheckGracePeriodSeconds: String(check.gracePeriodSeconds),
      healthCheckPortOptions: '',
    }),
  };
}
