import type { App } from '../../model/app.ts';
import { portsOf } from '../../model/ports.ts';

type Json = Readonly<Record<string, unknown>>;

/** What one group of `edgelb.` labels of an app asks for (ingress.md A11), in the words of a pool. */
export type LabelledService = {
  readonly app: string;
  readonly templates: readonly string[];
  readonly port: number;
  readonly protocol: string;
  readonly certificates: readonly string[];
  readonly redirectToHttps: boolean;
  readonly rules: readonly Json[];
  readonly backend: Json & { readonly name: string };
};

export type PoolLabels = {
  readonly services: readonly LabelledService[];
  readonly faults: readonly LabelFault[];
};
export type LabelFault = { readonly app: string; readonly reason: string };

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
const unnamedGroup = '__default__';

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
    faults.push({ app: app.id, reason: read });
    return [];
  });
  return { services, faults };
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
  const delimiters = {
    list: labels['edgelb.delimiter'] || ',',
    item: labels['edgelb.item_delimiter'] || '|',
    key: labels['edgelb.key_delimiter'] || ':',
  };
  const of = (name: string) =>
    labels[`edgelb.${group}.${name}`] ?? (group === unnamedGroup ? labels[`edgelb.${name}`] : undefined);
  const certificates = listOf(of('frontend.certificates'), delimiters.list);
  const port = of('frontend.port') ?? (certificates.length > 0 ? '443' : '80');
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535 || Number(port) === 0)
    return `frontend.port '${port}' of group ${group} must be from 1 to 65535`;
  const given = of('frontend.rules');
  const rules: readonly (Json | string)[] =
    given === undefined
      ? [{ pathBeg: '/' }]
      : listOf(given, delimiters.list).map((rule) => ruleOf(rule, delimiters));
  const bad = rules.find((rule) => typeof rule === 'string');
  if (typeof bad === 'string') return `${bad} in frontend.rules of group ${group}`;
  const portChoice = portOf(app, of('backend.portName'));
  if (portChoice === undefined) return 'it has no port that could be public, or its first has no name';
  return {
    app: app.id,
    templates: listOf(labels['edgelb.template'] ?? 'default', delimiters.list),
    port: Number(port),
    protocol: (of('frontend.protocol') ?? (certificates.length > 0 ? 'HTTPS' : 'HTTP')).toUpperCase(),
    certificates,
    redirectToHttps: /^(true|\{\})$/i.test(of('frontend.redirectToHttps') ?? ''),
    rules: rules.filter((rule): rule is Json => typeof rule !== 'string'),
    backend: {
      name: `${app.id.slice(1).replaceAll('/', '_')}_${group}`,
      protocol: (of('backend.protocol') ?? 'HTTP').toUpperCase(),
      balance: of('backend.balance') ?? 'roundrobin',
      ...rewriteOf(of('backend.rewriteHttp.path'), of('backend.rewriteHttp.sticky'), delimiters.key),
      services: [
        {
          marathon: { serviceID: app.id },
          endpoint: { type: of('backend.endpoint') ?? 'AUTO_IP', ...portChoice },
        },
      ],
    },
  };
}

const conditions = ['hostEq', 'hostReg', 'pathBeg', 'pathEnd', 'pathReg'];

function ruleOf(text: string, { item, key }: { readonly item: string; readonly key: string }): Json | string {
  const pairs = listOf(text, item).map((pair) => splitAt(pair, key));
  const unknown = pairs.find(([name, value]) => !conditions.includes(name) || value === '');
  if (unknown !== undefined || pairs.length === 0) return `'${text}' is no rule`;
  return Object.fromEntries(pairs);
}

function rewriteOf(path: string | undefined, sticky: string | undefined, delimiter: string): Json {
  const isSticky = sticky?.toLowerCase() === 'true';
  if (path === undefined && !isSticky) return {};
  const [fromPath, toPath] = splitAt(path ?? '', delimiter);
  return {
    rewriteHttp: {
      ...(path !== undefined && { path: { fromPath, toPath } }),
      ...(isSticky && { sticky: {} }),
    },
  };
}

/** The first port where none is named. */
function portOf(app: App, name: string | undefined): Json | undefined {
  if (name !== undefined) return { portName: name };
  const ports = portsOf(app);
  const [first] = ports;
  if (first === undefined) return undefined;
  if (ports.length === 1) return { allPorts: true };
  if (first.name !== undefined) return { portName: first.name };
  return first.containerPort ? { port: first.containerPort } : undefined;
}

function splitAt(text: string, delimiter: string): readonly [string, string] {
  const at = text.indexOf(delimiter);
  return at === -1 ? [text.trim(), ''] : [text.slice(0, at).trim(), text.slice(at + delimiter.length).trim()];
}

function listOf(text: string | undefined, delimiter: string): readonly string[] {
  return (text ?? '')
    .split(delimiter)
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
