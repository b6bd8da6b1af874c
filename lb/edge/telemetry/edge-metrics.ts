import type { ListenerCounts } from '../l4/listener-tally.ts';
import type { FullReport } from '../messages.ts';
import { BoundedTotals, type Counts } from './bounded-totals.ts';
import { Exposition } from './exposition.ts';
import { type LatencyCounts, latencyBounds } from './histogram.ts';
import type { EndpointStats } from './traffic-stats.ts';

/** Routes, and endpoints, that have series of their own; others are counted together. */
const mostNames = 500;

type Report = FullReport;
type ByName = ReadonlyMap<string, Counts>;

/** What all workers of an edge counted, for a monitor. */
export class EdgeMetrics {
  readonly #routes: BoundedTotals;
  readonly #endpoints: BoundedTotals;
  readonly #listeners: BoundedTotals;
  readonly #plain = new BoundedTotals(1);

  constructor(most: number = mostNames) {
    this.#routes = new BoundedTotals(most);
    this.#endpoints = new BoundedTotals(most);
    this.#listeners = new BoundedTotals(most);
  }

  /** `kernel`: what it carried past the workers. */
  text(reports: readonly Report[], kernel: readonly ListenerCounts[] = []): string {
    const out = new Exposition();
    const by = (namesOf: (report: Report) => ByName) =>
      new Map(reports.map((report) => [String(report.worker), namesOf(report)]));
    const plain = this.#plain.take(by((report) => new Map([['edge', plainCounts(report)]])));
    writePlain(out, plain.get('edge') ?? new Map());
    writeGroup(out, { prefix: 'weir_edge', label: 'route' }, this.#routes.take(by(routeCounts)));
    const endpoints = this.#endpoints.take(by(endpointCounts));
    writeGroup(out, { prefix: 'weir_edge_endpoint', label: 'endpoint' }, endpoints);
    out.family(
      'weir_edge_endpoint_connect_failures_total',
      'counter',
      'Connections an endpoint did not take.',
    );
    for (const [endpoint, counts] of endpoints)
      out.sample('weir_edge_endpoint_connect_failures_total', counts.get('refused') ?? 0, { endpoint });
    writeStreams(out, { label: 'endpoint', prefix: 'weir_edge_endpoint_stream' }, endpoints);
    writeStreams(
      out,
      { label: 'listener', prefix: 'weir_edge_listener' },
      this.#listeners.take(by(listenerCounts).set('kernel', countsByListener(kernel))),
    );
    writeGauges(out, reports);
    return out.text();
  }
}

const plainFamilies = [
  ['connect_failures_total', 'Connections that endpoints did not take.'],
  ['retries_total', 'Requests sent again.'],
  ['ejections_total', 'Times an endpoint was left alone for a while.'],
  ['malformed_total', 'Requests refused because they were malformed.'],
  ['access_log_lost_total', 'Lines of the access log that could not be written.'],
] as const;

function plainCounts({ stats, stats: { traffic } }: Report): Counts {
  return new Map([
    ['connect_failures_total', stats.connectFailures],
    ['retries_total', stats.retries],
    ['ejections_total', stats.ejections],
    ['malformed_total', stats.refused],
    ['access_log_lost_total', traffic?.accessLogLost ?? 0],
    ['limited client', traffic?.limited.client ?? 0],
    ['limited route', traffic?.limited.route ?? 0],
    ['tls done', traffic?.tlsHandshakes ?? 0],
    ['tls failed', traffic?.tlsFailures ?? 0],
  ]);
}

function writePlain(out: Exposition, counts: Counts): void {
  for (const [name, help] of plainFamilies) {
    out.family(`weir_edge_${name}`, 'counter', help);
    out.sample(`weir_edge_${name}`, counts.get(name) ?? 0);
  }
  out.family('weir_edge_limited_total', 'counter', 'Requests refused because of a limit, by whose it was.');
  for (const by of ['client', 'route'])
    out.sample('weir_edge_limited_total', counts.get(`limited ${by}`) ?? 0, { by });
  out.family('weir_edge_tls_handshakes_total', 'counter', 'TLS handshakes with clients.');
  for (const result of ['done', 'failed'])
    out.sample('weir_edge_tls_handshakes_total', counts.get(`tls ${result}`) ?? 0, { result });
}

function routeCounts({ stats: { requests, traffic } }: Report): ByName {
  const names = new Map<string, Map<string, number>>();
  for (const { route, codeClass, count } of requests) entry(names, route).set(`code ${codeClass}`, count);
  for (const { route, ...latency } of traffic?.latencies ?? []) putLatency(entry(names, route), latency);
  return names;
}

function endpointCounts({ stats: { traffic } }: Report): ByName {
  const names = new Map<string, Map<string, number>>();
  for (const one of traffic?.endpoints ?? []) {
    const { streams } = one;
    if (one.requests.length === 0 && one.connectFailures === 0 && streams.connections === 0) continue;
    const counts = entry(names, one.endpoint);
    counts.set('refused', one.connectFailures);
    if (streams.connections > 0) putStreams(counts, streams);
    for (const { codeClass, count } of one.requests) counts.set(`code ${codeClass}`, count);
    if (one.latency !== undefined) putLatency(counts, one.latency);
  }
  return names;
}

function listenerCounts({ stats: { traffic } }: Report): ByName {
  return countsByListener(traffic?.listeners ?? []);
}

function countsByListener(listeners: readonly ListenerCounts[]): ByName {
  const names = new Map<string, Map<string, number>>();
  for (const { listener, refused, ...streams } of listeners) {
    const counts = entry(names, listener);
    putStreams(counts, streams);
    counts.set('closed', refused);
  }
  return names;
}

type Streams = EndpointStats['streams'];

function putStreams(counts: Map<string, number>, { connections, bytesIn, bytesOut }: Streams): void {
  counts.set('connections', connections).set('in', bytesIn).set('out', bytesOut);
}

/** Connections and flows, and what was carried of those that are not HTTP. */
function writeStreams(
  out: Exposition,
  { prefix, label }: { readonly prefix: string; readonly label: string },
  totals: ByName,
): void {
  const samples = (name: string, key: string, rest: Readonly<Record<string, string>> = {}) => {
    for (const [one, counts] of totals)
      if (counts.has('connections'))
        out.sample(`${prefix}_${name}`, counts.get(key) ?? 0, { [label]: one, ...rest });
  };
  out.family(`${prefix}_connections_total`, 'counter', `Connections and UDP flows by ${label}.`);
  samples('connections_total', 'connections');
  out.family(`${prefix}_bytes_total`, 'counter', `Bytes of TCP, passed TLS and UDP by ${label}.`);
  samples('bytes_total', 'in', { direction: 'in' });
  samples('bytes_total', 'out', { direction: 'out' });
  if (label !== 'listener') return;
  out.family(
    `${prefix}_refused_total`,
    'counter',
    'Connections that were closed at once: no route, no endpoint, not allowed.',
  );
  samples('refused_total', 'closed');
}

function entry(names: Map<string, Map<string, number>>, name: string): Map<string, number> {
  const counts = names.get(name) ?? new Map<string, number>();
  names.set(name, counts);
  return counts;
}

function putLatency(counts: Map<string, number>, { buckets, sumMs }: LatencyCounts): void {
  for (const [n, count] of buckets.entries()) counts.set(`bucket ${n}`, count);
  counts.set('sum', sumMs);
}

/** Requests by class of their status, and how long they took. */
function writeGroup(
  out: Exposition,
  { prefix, label }: { readonly prefix: string; readonly label: string },
  totals: ByName,
): void {
  out.family(`${prefix}_requests_total`, 'counter', `Answers by ${label} and class of their status.`);
  for (const [name, counts] of totals)
    for (const [key, value] of counts)
      if (key.startsWith('code '))
        out.sample(`${prefix}_requests_total`, value, { [label]: name, code: key.slice(5) });
  const duration = `${prefix}_request_duration_seconds`;
  out.family(duration, 'histogram', `Requests that went to an endpoint, until they were over, by ${label}.`);
  for (const [name, counts] of totals)
    if (counts.has('sum')) out.histogram(duration, latencyOf(counts), { [label]: name });
}

function latencyOf(counts: Counts): LatencyCounts {
  const buckets = Array.from({ length: latencyBounds.length + 1 }, (_, n) => counts.get(`bucket ${n}`) ?? 0);
  return { buckets, sumMs: counts.get('sum') ?? 0 };
}

function writeGauges(out: Exposition, reports: readonly Report[]): void {
  const gauge = (name: string, help: string, value: number) => {
    out.family(`weir_edge_${name}`, 'gauge', help);
    out.sample(`weir_edge_${name}`, value);
  };
  const sum = (of: (report: Report) => number) => reports.reduce((all, report) => all + of(report), 0);
  const all = reports.map(({ stats }) => stats);
  gauge('workers', 'Worker processes that answered.', reports.length);
  gauge(
    'open_connections',
    'Connections of clients.',
    sum(({ stats }) => stats.openConnections),
  );
  gauge(
    'in_flight',
    'Requests and upgraded connections under way.',
    sum(({ stats }) => stats.inFlight),
  );
  gauge(
    'replaced_processes',
    'Processes of another engine that only end what they have begun.',
    sum(({ stats }) => stats.replaced ?? 0),
  );
  gauge(
    'memory_bytes',
    'Resident memory of the workers.',
    sum(({ memory }) => memory),
  );
  gauge(
    'revision',
    'Directory revision in force at every worker.',
    least(all.map(({ revision }) => revision)),
  );
  gauge('pools', 'Pools of endpoints.', Math.max(0, ...all.map(({ traffic }) => traffic?.pools ?? 0)));
  out.family('weir_edge_endpoints', 'gauge', 'Endpoints by the worst that any worker holds of them.');
  for (const [state, count] of endpointStates(all.flatMap(({ traffic }) => traffic?.endpoints ?? [])))
    out.sample('weir_edge_endpoints', count, { state });
}

function endpointStates(endpoints: readonly EndpointStats[]): ReadonlyMap<string, number> {
  const worst = new Map<string, 'well' | 'ejected' | 'sick'>();
  for (const { endpoint, ejected, sick } of endpoints) {
    const state = sick ? 'sick' : ejected ? 'ejected' : 'well';
    const known = worst.get(endpoint) ?? 'well';
    worst.set(endpoint, known === 'sick' || state === 'well' ? known : state);
  }
  const counts = new Map([
    ['well', 0],
    ['ejected', 0],
    ['sick', 0],
  ]);
  for (const state of worst.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}

function least(values: readonly number[]): number {
  return values.length === 0 ? 0 : Math.min(...values);
}
