import type { App } from '../../model/app.ts';
import { readPool } from '../../model/edgelb/read-pool.ts';
import { teamOf } from '../host-claims.ts';
import type { Snapshot } from '../snapshot.ts';
import {
  isExposed,
  type LabelFault,
  type LabelledService,
  readPoolLabels,
  unnamedGroup,
} from './pool-labels.ts';

type Json = Readonly<Record<string, unknown>>;

/** The pool that apps with labels make of a template; none while no app names it. */
export type LabelPool = { readonly definition: Json | undefined; readonly faults: readonly PoolLabelFault[] };

/** An app that is left out, and why. */
export type PoolLabelFault = { readonly app: string; readonly reason: string };

/** There without being declared. */
export const defaultTemplate = 'default';

export function labelPoolName(template: string): string {
  return `auto-${template}`;
}

/** Every pool that labels make, by its template (ingress.md A11). */
export function poolsByLabels(
  snapshot: Snapshot,
  more: readonly string[] = [],
): ReadonlyMap<string, LabelPool> {
  const apps = [...snapshot.table('apps').values()].filter(isExposed);
  const since = new Map(apps.map((app) => [app.id, sinceOf(app, snapshot)]));
  const read = apps.toSorted((a, b) => byAge(a, b, since)).map(readPoolLabels);
  const services = read.flatMap((one) => one.services);
  const faults = read.flatMap((one) => one.faults);
  const names = new Set([...more, ...[...services, ...faults].flatMap(({ templates }) => templates)]);
  return new Map([...names].map((name) => [name, poolOf(snapshot, name, services, faults)]));
}

/** What of the labels of apps is not in force: apps that are left out, and labels that nobody knows. */
export function poolLabelFaults(snapshot: Snapshot) {
  const left = [...poolsByLabels(snapshot)].flatMap(([template, { faults }]) =>
    faults.map(({ app, reason }) => ({
      ...{ app, effect: 'no route' as const },
      reason: `it is left out of pool ${labelPoolName(template)}: ${reason}`,
    })),
  );
  const exposed = [...snapshot.table('apps').values()].filter(isExposed);
  const ignored = exposed.flatMap((app) =>
    readPoolLabels(app).ignored.map((label) => ({
      ...{ app: app.id, label, effect: 'ignored' as const, reason: 'is not understood' },
    })),
  );
  return [...left, ...ignored];
}

function poolOf(
  snapshot: Snapshot,
  template: string,
  all: readonly LabelledService[],
  unread: readonly LabelFault[],
): LabelPool {
  const wanted = all.filter(({ templates }) => templates.includes(template));
  const stored = snapshot.table('pools').get(`template:${template}`);
  if (stored === undefined && template !== defaultTemplate) {
    const reason = `there is no pool template '${template}'`;
    return { definition: undefined, faults: wanted.map(({ app }) => ({ app, reason })) };
  }
  const base = objectIn(stored?.definition);
  let taken: readonly LabelledService[] = [];
  const faults: PoolLabelFault[] = unread.filter(({ templates }) => templates.includes(template));
  for (const service of wanted) {
    const reason = conflict(taken, service) ?? refusal(template, base, joined(taken, service));
    if (reason === undefined) taken = joined(taken, service);
    else faults.push({ app: service.app, reason });
  }
  if (taken.length === 0) return { definition: undefined, faults };
  return { definition: definitionOf(template, base, taken), faults };
}

/** What one app says wrongly keeps no other from being served. */
function refusal(template: string, base: Json, services: readonly LabelledService[]): string | undefined {
  const read = readPool(definitionOf(template, base, services));
  return read.kind === 'pool' ? undefined : read.faults.map(({ error }) => error).join('; ');
}

/** Who was there first goes first, so that nobody new takes a rule away; its kept versions say since when it is. */
function byAge(a: App, b: App, since: ReadonlyMap<string, string>): number {
  const [one = '', other = ''] = [since.get(a.id), since.get(b.id)];
  return one < other || (one === other && a.id < b.id) ? -1 : 1;
}

function sinceOf(app: App, snapshot: Snapshot): string {
  const times = [app, ...snapshot.versionsOf(app.id)].map(
    ({ versionInfo }) => versionInfo.lastConfigChangeAt,
  );
  return times.toSorted()[0] ?? '';
}

/** Apps of one team that name the same group, and say the same of it, are behind one backend. */
function joined(taken: readonly LabelledService[], service: LabelledService): readonly LabelledService[] {
  const at = taken.findIndex((other) => isShared(other, service));
  const other = taken[at];
  if (other === undefined) return [...taken, service];
  const services = [...listIn(other.backend['services']), ...listIn(service.backend['services'])];
  return taken.with(at, { ...other, backend: { ...other.backend, services } });
}

function isShared(one: LabelledService, other: LabelledService): boolean {
  if (one.group === unnamedGroup || teamOf(one.app) !== teamOf(other.app)) return false;
  return said(one) === said(other);
}

function said({ app: _, templates: __, backend, ...others }: LabelledService): string {
  return JSON.stringify([others, { ...backend, name: '', services: [] }]);
}

/** Who comes later is left out. */
function conflict(all: readonly LabelledService[], service: LabelledService): string | undefined {
  const taken = all.filter((other) => !isShared(other, service));
  const beside = taken.filter(({ port }) => port === service.port);
  const other = beside.find(({ protocol }) => protocol !== service.protocol);
  if (other !== undefined) return `port ${service.port} is ${other.protocol} for ${other.app}`;
  const rules = service.rules.map(ruleKey);
  const same = beside.find(({ rules: theirs }) => theirs.some((rule) => rules.includes(ruleKey(rule))));
  return same && `${same.app} has the same rule on port ${service.port}`;
}

function ruleKey(rule: Json): string {
  return JSON.stringify(Object.entries(rule).toSorted());
}

function definitionOf(template: string, base: Json, services: readonly LabelledService[]): Json {
  const haproxy = objectIn(base['haproxy']);
  const given = listIn(haproxy['frontends']).map(objectIn);
  const ports = Map.groupBy(services, ({ port }) => port);
  const kept = given.filter(({ bindPort }) => !ports.has(Number(bindPort)));
  const made = [...ports].map(([port, same]) => {
    const own = given.find(({ bindPort }) => bindPort === port) ?? {};
    return frontendOf(own, port, same);
  });
  const named = [...listIn(base['secrets']), ...services.flatMap((one) => one.secrets)].map(objectIn);
  const secrets = new Map(named.map((one) => [`${one['file']} ${one['secret']}`, one]));
  const isMade = services.some(({ certificates }) => certificates.includes('$AUTOCERT'));
  return {
    ...base,
    name: labelPoolName(template),
    ...(secrets.size > 0 && { secrets: [...secrets.values()] }),
    ...(isMade && { autoCertificate: true }),
    haproxy: {
      ...haproxy,
      frontends: [...kept, ...made],
      backends: [...listIn(haproxy['backends']), ...services.map(({ backend }) => backend)],
    },
  };
}

function frontendOf(given: Json, bindPort: number, services: readonly LabelledService[]): Json {
  const [first] = services;
  const link = objectIn(given['linkBackend']);
  const rules = services.flatMap(({ rules: own, backend }) =>
    own.map((rule) => ({ ...rule, backend: backend.name })),
  );
  return {
    bindPort,
    protocol: first?.protocol,
    ...redirectOf(services),
    ...given,
    certificates: [
      ...new Set([...listIn(given['certificates']), ...services.flatMap(({ certificates }) => certificates)]),
    ],
    linkBackend: { ...link, map: [...listIn(link['map']), ...rules.toSorted(precedence)] },
  };
}

/** What any app of the frontend spares is spared. */
function redirectOf(services: readonly LabelledService[]): Json {
  const asked = services.flatMap(({ redirectToHttps }): readonly Json[] =>
    redirectToHttps === undefined ? [] : [redirectToHttps],
  );
  if (asked.length === 0) return {};
  return { redirectToHttps: { except: asked.flatMap((one) => listIn(one['except'])) } };
}

const order = ['hostEq', 'hostReg', 'pathBeg', 'pathReg', 'pathEnd'];

/** Narrow rules first, longer beginnings of paths before shorter ones. */
function precedence(a: Json, b: Json): number {
  return rankOf(a) - rankOf(b) || lengthOf(b) - lengthOf(a);
}

function rankOf(rule: Json): number {
  return order.findIndex((key) => key in rule);
}

function lengthOf(rule: Json): number {
  return String(rule['pathBeg'] ?? '').length;
}

function objectIn(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
