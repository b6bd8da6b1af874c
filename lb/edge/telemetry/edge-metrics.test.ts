import t from 'tap';
import type { FullReport } from '../messages.ts';
import { buildTable } from '../routes/route-table.ts';
import { expositionFaults } from '../testing/exposition-faults.ts';
import { answerEach, directory, rawClient, route, serveWith } from '../testing/peers.ts';
import { EdgeMetrics } from './edge-metrics.ts';

const traffic = {
  latencies: [],
  endpoints: [],
  listeners: [],
  pools: 1,
  limited: { client: 0, route: 0 },
  tlsHandshakes: 0,
  tlsFailures: 0,
  accessLogLost: 0,
};

function report(worker: number, counts: Readonly<Record<string, number>>, stats: object = {}): FullReport {
  const requests = Object.entries(counts).map(([name, count]) => ({ route: name, codeClass: '2xx', count }));
  const plain = { connectFailures: 0, retries: 0, ejections: 0, refused: 0, openConnections: 1, inFlight: 0 };
  const all = { revision: 3, ...plain, requests, traffic, ...stats };
  return { worker, memory: 1, inFlight: new Map(), stats: all };
}

const sampleOf = (text: string, series: string) =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.slice(series.length + 1),
  );
const requests = (name: string) => `weir_edge_requests_total{route="${name}",code="2xx"}`;

t.test('workers are summed, and a worker that begins anew does not make a total fall', async (t) => {
  const metrics = new EdgeMetrics();
  t.equal(sampleOf(metrics.text([report(1, { a: 5 }), report(2, { a: 7 })]), requests('a')), 12);
  t.equal(sampleOf(metrics.text([report(1, { a: 6 }), report(3, { a: 1 })]), requests('a')), 14);
  t.equal(sampleOf(metrics.text([report(1, { a: 6 }), report(3, { a: 3 })]), requests('a')), 16);
});

t.test('routes beyond the bound share one label, which never falls either', async (t) => {
  const metrics = new EdgeMetrics(2);
  const first = metrics.text([report(1, { a: 1, b: 2, c: 3, d: 4 })]);
  t.same([sampleOf(first, requests('b')), sampleOf(first, requests('other'))], [2, 7]);
  const later = metrics.text([report(1, { b: 2, c: 5, d: 4 })]);
  t.equal(sampleOf(later, requests('other')), 7);
  t.equal(sampleOf(later, requests('c')), 2, 'it has the place of one that is gone');
});

t.test('what the engine counted is a text without faults', async (t) => {
  const { engine, port, endpoints } = await serveWith(t, [answerEach()]);
  const odd = { ...route({ id: 'odd"\\route', host: 'odd.test' }) };
  const limited = {
    ...route({ host: 'limited.test' }),
    options: { limits: { clientPerSecond: 0.001, clientBurst: 0 } },
  };
  await engine.apply(buildTable(directory(2, endpoints, [route(), odd, limited])));
  for (const host of ['web.test', 'odd.test', 'limited.test', 'no.test']) {
    const client = await rawClient(port);
    client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await client.until('\r\n\r\n');
    client.socket.destroy();
  }
  const text = new EdgeMetrics().text([
    { worker: 1, memory: 5, inFlight: new Map(), stats: await engine.stats() },
  ]);
  t.same(expositionFaults(text), []);
  t.equal(sampleOf(text, requests('web.test//web')), 1);
  t.equal(sampleOf(text, 'weir_edge_request_duration_seconds_count{route="web.test//web"}'), 1);
  t.match(text, 'weir_edge_requests_total{route="odd\\"\\\\route",code="2xx"} 1');
  t.match(text, 'weir_edge_requests_total{route="none",code="4xx"} 1');
  t.match(text, 'weir_edge_limited_total{by="client"} 1');
  const name = `web-0 127.0.0.1:${endpoints[0]!.ports[0]!.port}`;
  t.equal(sampleOf(text, `weir_edge_endpoint_requests_total{endpoint="${name}",code="2xx"}`), 2);
  t.equal(sampleOf(text, 'weir_edge_endpoints{state="well"}'), 1);
});

t.test('the check of the format finds faults', async (t) => {
  const help = '# HELP a_total A.\n# TYPE a_total counter\n';
  t.same(expositionFaults(`${help}a_total 1\n`), []);
  for (const text of [
    `${help}a_total 1`,
    `${help}a_total x\n`,
    `${help}b_total 1\n`,
    `${help}a_total 1\na_total 1\n`,
  ])
    t.not(expositionFaults(text).length, 0, JSON.stringify(text));
});
