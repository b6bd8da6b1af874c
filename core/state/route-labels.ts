import type { App } from '../model/app.ts';
import type { Listener } from '../model/listener.ts';
import { type PortRequest, portsOf } from '../model/ports.ts';
import type { Route, RouteOptions } from '../model/route.ts';
import { merged } from './haproxy-lines.ts';
import { balanceOption } from './label-balance.ts';
import { ignored, isWhole, type LabelFault, labelFault } from './label-faults.ts';
import { portListener } from './label-listeners.ts';
import { healthCheckOf, portCheck, readTemplates } from './label-templates.ts';
import { authOf, words } from './label-values.ts';

/** The edge group whose apps Weir's edge exposes. */
export const externalGroup = 'external';

export type RouteLabels = {
  readonly routes: readonly Route[];
  readonly listeners: readonly Listener[];
  readonly faults: readonly LabelFault[];
};

/** Routes an app declares by marathon-lb labels, `HAPROXY_GROUP` with `HAPROXY_{n}_VHOST` and more (ingress.md B2). */
export function readRouteLabels(app: App): RouteLabels {
  const read = portsOf(app)
    .filter((port) => isPublic(app, port))
    .map((port) => readPort(app, port));
  return {
    routes: read.flatMap(({ routes }) => routes),
    listeners: read.flatMap(({ listeners }) => listeners),
    faults: [...read.flatMap(({ faults }) => faults), ...(read.length > 0 ? appFaults(app) : [])],
  };
}

function isPublic(app: App, port: PortRequest): boolean {
  const groups = words(labelOf(app, port, 'GROUP') ?? app.labels['HAPROXY_GROUP'], ',');
  const enabled = (labelOf(app, port, 'ENABLED') ?? 'true').toLowerCase() !== 'false';
  return enabled && (groups.includes(externalGroup) || groups.includes('*'));
}

function readPort(app: App, port: PortRequest): RouteLabels {
  const label = (name: string) => labelOf(app, port, name);
  const templates = readTemplates(app, port);
  const faults = [...faultsOf(app, port), ...templates.faults];
  if (faults.some(({ effect }) => effect === 'no route')) return { routes: [], listeners: [], faults };
  const mode = modeOf(app, port);
  const { ignoreCase, prefixes } = pathsOf(label('PATH'));
  const weight = label('BACKEND_WEIGHT');
  const options = merged(merged(templates.options, optionsOf(label)), portCheck(app, port));
  const own = portListener(app, port, { label, mode, options });
  const routes = (mode === 'http' ? words(label('VHOST'), ',') : []).flatMap((vhost) =>
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
  return {
    routes: own === undefined ? routes : [...routes, own.route],
    listeners: own === undefined ? [] : [own.listener],
    faults,
  };
}

/** ingress.md B2. */
function modeOf(app: App, port: PortRequest): 'http' | 'tcp' {
  const given = labelOf(app, port, 'MODE')?.toLowerCase();
  if (speaksHttp(app, port)) return 'http';
  return given === 'http' || (given === undefined && labelOf(app, port, 'VHOST') !== undefined)
    ? 'http'
    : 'tcp';
}

function faultsOf(app: App, port: PortRequest): readonly LabelFault[] {
  const prefix = `HAPROXY_${port.index}_`;
  const names = Object.keys(app.labels).filter((name) => name.startsWith(prefix));
  const faults = names.flatMap((name) => {
    const fault = labelFault(name.slice(prefix.length), app.labels[name] ?? '');
    return fault === undefined ? [] : [{ label: name, ...fault }];
  });
  if (modeOf(app, port) === 'http' || labelOf(app, port, 'VHOST') === undefined) return faults;
  return [...faults, { label: `${prefix}VHOST`, ...ignored('says a host, but the port is of mode tcp') }];
}

/** A health check over HTTP shows that the port speaks it, whatever the label says (ingress.md B2). */
function speaksHttp(app: App, port: PortRequest): boolean {
  return /HTTP/.test(healthCheckOf(app, port.index)?.protocol ?? '');
}

/** Labels of the whole app: those that the tool for blue and green sets mean nothing here, since deployments replace without it. */
function appFaults(app: App): readonly LabelFault[] {
  return Object.keys(app.labels)
    .filter((name) => /^HAPROXY_(DEPLOYMENT_\w+|APP_ID)$/.test(name))
    .map((label) => ({
      label,
      ...ignored('belongs to a tool that replaces apps in pairs; deployments do that here'),
    }));
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
    ...balanceOption(label('BALANCE') ?? ''),
  };
}

function isTrue(value: string | undefined): boolean {
  return value?.toLowerCase() === 'true';
}
