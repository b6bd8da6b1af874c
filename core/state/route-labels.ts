import type { App } from '../model/app.ts';
import type { AppId } from '../model/ids.ts';
import type { Listener } from '../model/listener.ts';
import { type PortRequest, portsOf } from '../model/ports.ts';
import type { Route, RouteOptions, ServiceRef } from '../model/route.ts';
import { appIdRoute } from './app-id-routes.ts';
import { backendName, servedPort } from './backend-name.ts';
import { merged } from './haproxy-lines.ts';
import { balanceOption } from './label-balance.ts';
import { ignored, isWhole, type LabelFault, labelFault } from './label-faults.ts';
import { portListener } from './label-listeners.ts';
import { defaultLabelSettings, type LabelSettings } from './label-settings.ts';
import { healthCheckOf, portCheck, readTemplates } from './label-templates.ts';
import { authOf, hostsOf, isTrue, words } from './label-values.ts';

export type RouteLabels = {
  readonly routes: readonly Route[];
  readonly listeners: readonly Listener[];
  readonly faults: readonly LabelFault[];
};

/** For what labels speak: an app, or the deployment group that it stands for. */
export type Subject = { readonly id: AppId; service(portIndex: number): ServiceRef };

/** Routes an app declares by marathon-lb labels, `HAPROXY_GROUP` with `HAPROXY_{n}_VHOST` and more (ingress.md B2). */
export function readRouteLabels(
  app: App,
  settings: LabelSettings = defaultLabelSettings,
  subject: Subject = { id: app.id, service: (portIndex) => ({ appId: app.id, portIndex }) },
): RouteLabels {
  const read = portsOf(app)
    .filter((port) => isPublic(app, port, settings))
    .map((port) => readPort({ app, subject, port }, settings));
  const served = read.find(({ appIdRoute: route }) => route !== undefined)?.appIdRoute;
  return {
    routes: [...read.flatMap(({ routes }) => routes), ...(served === undefined ? [] : [served])],
    listeners: read.flatMap(({ listeners }) => listeners),
    faults: [...read.flatMap(({ faults }) => faults), ...(read.length > 0 ? appFaults(app) : [])],
  };
}

/** Labels that are of no port. */
function appFaults(app: App): readonly LabelFault[] {
  const ports = portsOf(app).length;
  return Object.keys(app.labels).flatMap((label) => {
    const [, index, name = ''] = /^HAPROXY_(?:(\d+)_)?(\w+)$/.exec(label) ?? [];
    if (index !== undefined)
      return Number(index) < ports ? [] : [{ label, ...ignored(`the app has no port ${index}`) }];
    return name === '' || ofApp.test(name) ? [] : [{ label, ...ignored('is not understood') }];
  });
}

const ofApp = /^(GROUP|APP_ID|DEPLOYMENT_(GROUP|ALT_PORT|COLOUR|STARTED_AT|TARGET_INSTANCES|NEW_INSTANCES))$/;

/** A port's own word counts instead of the app's (ingress.md B2, B5). */
function isPublic(app: App, port: PortRequest, { groups, strict }: LabelSettings): boolean {
  const own = words(labelOf(app, port, 'GROUP'), ',');
  const named = own.length > 0 ? own : words(app.labels['HAPROXY_GROUP'], ',');
  const enabled = isTrue(labelOf(app, port, 'ENABLED') ?? String(!strict));
  return enabled && (groups.includes('*') || named.some((group) => groups.includes(group)));
}

type Place = { readonly app: App; readonly subject: Subject; readonly port: PortRequest };

type ReadPort = RouteLabels & { readonly appIdRoute?: Route };

function readPort({ app, subject, port }: Place, settings: LabelSettings): ReadPort {
  const label = (name: string) => labelOf(app, port, name);
  const templates = readTemplates(app, port, subject.id);
  const faults = [...faultsOf(app, port), ...templates.faults];
  if (faults.some(({ effect }) => effect === 'no route')) return { routes: [], listeners: [], faults };
  const mode = modeOf(app, port);
  const { ignoreCase, prefixes } = pathsOf(label('PATH'));
  const weight = label('BACKEND_WEIGHT');
  const options = merged(merged(templates.options, optionsOf(label)), portCheck(app, port));
  const number = servedPort(app, port);
  const common = {
    service: subject.service(port.index),
    owner: `app:${app.id}`,
    backend: backendName(subject.id, number),
  };
  const id = `app:${subject.id}:${port.index}`;
  const own = number && portListener(port, { id, number, common, label, mode, options });
  const { hosts } = hostsOf(mode === 'http' && settings.sharedPlaces ? label('VHOST') : undefined);
  const routes = hosts.flatMap((vhost) =>
    prefixes.map(
      (pathPrefix): Route => ({
        id: `${id}:${vhost}${pathPrefix}`,
        host: vhost,
        pathPrefix,
        ...(pathPrefix !== '/' && { pathKind: 'begins' as const }),
        ...(ignoreCase && { ignoreCase }),
        ...(weight !== undefined && isWhole(weight) && { weight: Number(weight), rank: Number(weight) }),
        ...common,
        ...(Object.keys(options).length > 0 && { options }),
      }),
    ),
  );
  return {
    routes: own ? [...routes, own.route] : routes,
    listeners: own ? [own.listener] : [],
    faults,
    ...(mode === 'http' && settings.appIdPort && { appIdRoute: appIdRoute(subject.id, common, options) }),
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

function labelOf(app: App, port: PortRequest, name: string): string | undefined {
  return app.labels[`HAPROXY_${port.index}_${name}`];
}

function pathsOf(text: string | undefined) {
  const all = words(text, /\s+/);
  const ignoreCase = all[0] === '-i';
  const given = ignoreCase ? all.slice(1) : all;
  // What no path begins with takes nothing; it must not widen to all of the host.
  const paths = given.filter((path) => path.startsWith('/'));
  return { ignoreCase, prefixes: given.length === 0 ? ['/'] : [...new Set(paths)] };
}

function optionsOf(label: (name: string) => string | undefined): RouteOptions {
  const allow = words(label('BACKEND_NETWORK_ALLOWED_ACL'), /\s+/);
  const stripPrefix = label('HTTP_BACKEND_PROXYPASS_PATH');
  const locationPrefix = label('HTTP_BACKEND_REVPROXY_PATH');
  const rootTo = label('HTTP_BACKEND_REDIR');
  const auth = authOf(label('AUTH') ?? '');
  return {
    ...(isTrue(label('REDIRECT_TO_HTTPS')) && { redirectToHttps: true }),
    ...(isTrue(label('USE_HSTS')) && label('BACKEND_HSTS_OPTIONS') === undefined && { hsts: true }),
    ...(auth !== undefined && { auth }),
    ...(allow.length > 0 && { allow }),
    ...(stripPrefix !== undefined && { stripPrefix }),
    ...(locationPrefix !== undefined && { locationPrefix }),
    ...(rootTo !== undefined && { rootTo }),
    ...(isTrue(label('STICKY')) && { sticky: true }),
    ...balanceOption(label('BALANCE') ?? ''),
  };
}
