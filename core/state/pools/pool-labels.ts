import type { App } from '../../model/app.ts';
import { endpointOf, rewriteOf } from './label-backends.ts';
import { type Delimiters, delimitersIn, dictsIn, listOf } from './label-lists.ts';

type Json = Readonly<Record<string, unknown>>;

/** What one group of `edgelb.` labels of an app asks for (ingress.md A11), in the words of a pool. */
export type LabelledService = {
  readonly app: string;
  readonly group: string;
  readonly templates: readonly string[];
  readonly port: number;
  readonly protocol: string;
  readonly certificates: readonly string[];
  /** That the certificates are in. */
  readonly secrets: readonly Json[];
  readonly redirectToHttps?: Json;
  readonly rules: readonly Json[];
  readonly backend: Json & { readonly name: string };
};

export type PoolLabels = {
  readonly services: readonly LabelledService[];
  readonly faults: readonly LabelFault[];
  /** Labels that nothing comes of. */
  readonly ignored: readonly string[];
};
/** `templates`: that the app wants to join. */
export type LabelFault = {
  readonly app: string;
  readonly templates: readonly string[];
  readonly reason: string;
};

/** Words that cannot be the name of a group. */
const reserved = [
  'expose',
  'template',
  'delimiter',
  'item_delimiter',
  'key_delimiter',
  'frontend',
  'backend',
];
const groupPattern = /^edgelb\.(?:([^.]+)\.)?(?:frontend|backend)\./;
export const unnamedGroup = '__default__';

export function isExposed({ labels }: Pick<App, 'labels'>): boolean {
  return labels['edgelb.expose']?.toLowerCase() === 'true';
}

export function readPoolLabels(app: App): PoolLabels {
  const faults: LabelFault[] = [];
  const groups = new Set(Object.keys(app.labels).flatMap((name) => groupOf(name) ?? []));
  const names = groups.size === 0 ? [unnamedGroup] : [...groups].sort();
  const services = names.flatMap((group) => {
    const read = readGroup(app, group);
    if (typeof read !== 'string') return [read];
    faults.push({ app: app.id, templates: templatesOf(app), reason: read });
    return [];
  });
  const ignored = Object.keys(app.labels).filter((name) => name.startsWith('edgelb.') && !isKnown(name));
  return { services, faults, ignored };
}

const known =
  /^edgelb\.(expose|template|(item_|key_)?delimiter|([^.]+\.)?(frontend\.(certificates|port|protocol|redirectToHttps|rules)|backend\.(balance|endpoint|portName|protocol|rewriteHttp\.(path|sticky))))$/;

function isKnown(label: string): boolean {
  const [, group = ''] = groupPattern.exec(label) ?? [];
  return known.test(label) && !reserved.includes(group);
}

function templatesOf({ labels }: App): readonly string[] {
  return listOf(labels['edgelb.template'] ?? 'default', delimitersIn(labels).list);
}

function groupOf(label: string): string | undefined {
  const found = groupPattern.exec(label);
  if (found === null) return undefined;
  const group = found[1] ?? unnamedGroup;
  return reserved.includes(group) ? undefined : group;
}

/** A text says why it cannot be. */
function readGroup(app: App, group: string): LabelledService | string {
  const { labels } = app;
  const delimiters = delimitersIn(labels);
  const of = (name: string) =>
    labels[`edgelb.${group}.${name}`] ?? (group === unnamedGroup ? labels[`edgelb.${name}`] : undefined);
  const { certificates, secrets } = certificatesOf(listOf(of('frontend.certificates'), delimiters.list));
  const protocol = (of('frontend.protocol') ?? (certificates.length > 0 ? 'HTTPS' : 'HTTP')).toUpperCase();
  const port = of('frontend.port') ?? usualPorts[protocol];
  if (port === undefined) return `frontend.port of group ${group} is missing: ${protocol} has no usual one`;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535 || Number(port) === 0)
    return `frontend.port '${port}' of group ${group} must be from 1 to 65535`;
  const given = of('frontend.rules');
  const rules = given === undefined ? [{ pathBeg: '/' }] : dictsIn(given, delimiters, conditions);
  if (typeof rules === 'string') return `${rules} is no rule in frontend.rules of group ${group}`;
  const redirect = redirectOf(of('frontend.redirectToHttps'), delimiters);
  if (typeof redirect === 'string')
    return `${redirect} is no exception in frontend.redirectToHttps of group ${group}`;
  const endpoint = endpointOf(app, of('backend.endpoint'), of('backend.portName'), delimiters);
  if (typeof endpoint === 'string') return `${endpoint} in group ${group}`;
  const isHttp = protocol === 'HTTP' || protocol === 'HTTPS';
  return {
    app: app.id,
    group,
    templates: templatesOf(app),
    port: Number(port),
    protocol,
    certificates,
    secrets,
    ...(redirect && { redirectToHttps: redirect }),
    rules,
    backend: {
      name: `${app.id.slice(1).replaceAll('/', '_')}_${group}`,
      protocol: (of('backend.protocol') ?? (isHttp ? 'HTTP' : protocol)).toUpperCase(),
      balance: of('backend.balance') ?? 'roundrobin',
      ...rewriteOf(of('backend.rewriteHttp.path'), of('backend.rewriteHttp.sticky'), delimiters.key),
      services: [{ ...(endpoint['type'] !== 'ADDRESS' && { marathon: { serviceID: app.id } }), endpoint }],
    },
  };
}

const usualPorts: Readonly<Record<string, string>> = { HTTP: '80', HTTPS: '443' };
const conditions = ['hostEq', 'hostReg', 'pathBeg', 'pathEnd', 'pathReg'];

/** Names of secrets, or references as pools have them. */
function certificatesOf(names: readonly string[]) {
  const named = names
    .filter((name) => !name.startsWith('$'))
    .map((secret) => ({ secret, file: secret.replace(/^[^A-Za-z0-9]+/, '').replace(/[^\w-]/g, '_') }));
  const fileOf = new Map(named.map(({ secret, file }) => [secret, `$SECRETS/${file}`]));
  return { certificates: names.map((name) => fileOf.get(name) ?? name), secrets: named };
}

/** To be there is enough; a list says what is spared. Undefined: no. */
function redirectOf(text: string | undefined, delimiters: Delimiters): Json | string | undefined {
  if (text === undefined || /^\s*false\s*$/i.test(text)) return undefined;
  if (/^\s*(true|\{\s*\})?\s*$/i.test(text)) return {};
  const except = dictsIn(text, delimiters, ['host', 'pathBeg']);
  return typeof except === 'string' ? except : { except };
}
