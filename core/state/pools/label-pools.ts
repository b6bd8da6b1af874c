import { readPool } from '../../model/edgelb/read-pool.ts';
import type { Snapshot } from '../snapshot.ts';
import { isExposed, type LabelFault, type LabelledService, readPoolLabels } from './pool-labels.ts';

type Json = Readonly<Record<string, unknown>>;

/** The pool that apps with labels make of a template; none while no app names it. */
export type LabelPool = { readonly definition: Json | undefined; readonly faults: readonly LabelFault[] };

/** There without being declared. */
const defaultTemplate = 'default';

export function labelPoolName(template: string): string {
  return `auto-${template}`;
}

/** Every pool that labels make, by its template (ingress.md A11). */
export function poolsByLabels(
  snapshot: Snapshot,
  more: readonly string[] = [],
): ReadonlyMap<string, LabelPool> {
  const apps = [...snapshot.table('apps').values()].filter(isExposed);
  const read = apps.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(readPoolLabels);
  const services = read.flatMap((one) => one.services);
  const names = new Set([...more, ...services.flatMap(({ templates }) => templates)]);
  const faults = read.flatMap((one) => one.faults);
  return new Map([...names].map((name) => [name, poolOf(snapshot, name, services, faults)]));
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
  const faults: LabelFault[] = [...unread];
  for (const service of wanted) {
    const reason = conflict(taken, service) ?? refusal(template, base, [...taken, service]);
    if (reason === undefined) taken = [...taken, service];
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

/** Who comes later in order of ids is left out. */
function conflict(taken: readonly LabelledService[], service: LabelledService): string | undefined {
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
  return {
    ...base,
    name: labelPoolName(template),
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
    ...(services.some(({ redirectToHttps }) => redirectToHttps) && { redirectToHttps: {} }),
    ...given,
    certificates: [...listIn(given['certificates']), ...services.flatMap(({ certificates }) => certificates)],
    linkBackend: { ...link, map: [...listIn(link['map']), ...rules.toSorted(precedence)] },
  };
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
