import t from 'tap';
import { chooseSockets } from './choose-sockets.ts';
import { plainSockets } from './plain-sockets.ts';
import { QueryLog, Sampler } from './query-log.ts';
import { askUdp, query, TcpSession } from './testing/client.ts';
import { snapshot, vip } from './testing/directory.ts';
import { runResolver } from './testing/resolver.ts';

const noted = (address: string, rcode = 0) => ({
  client: { address, port: 1, transport: 'udp' as const },
  name: 'web.weir',
  type: 1,
  rcode,
});

t.test('of a flood a hundred questions a second are noted, and they stand for all', async (t) => {
  const sampler = new Sampler();
  const weights: number[] = [];
  for (let i = 1; i <= 50_000; i++) {
    const weight = sampler.due(1_000 + i / 50);
    if (weight > 0) weights.push(weight);
  }
  t.ok(weights.length <= 101, `${weights.length}`);
  const sum = weights.reduce((a, b) => a + b, 0);
  t.ok(sum > 49_000 && sum <= 50_000, `${sum}`);
});

t.test('the newest questions are kept, and those who ask most', async (t) => {
  const log = new QueryLog();
  for (let i = 0; i < 5_000; i++) {
    log.note(noted(`10.0.${i >> 8}.${i & 255}`), 1, i);
    log.note(noted('192.0.2.1', i % 2 === 0 ? 3 : 0), 2, i);
  }
  const { queries, clients } = log.report();
  t.equal(queries.length, 500);
  t.match(queries[0], { at: 4_999, client: '192.0.2.1', type: 'A', rcode: 'NOERROR' });
  t.equal(clients.length, 256);
  t.match(clients[0], { client: '192.0.2.1', queries: 10_000, failures: 5_000 });
});

for (const sockets of new Set([plainSockets, chooseSockets('fast')])) {
  t.test(`${sockets.name}: questions are noted, hot or not, by UDP and TCP`, async (t) => {
    const directory = snapshot(1, { vips: [vip('/web', ['web.weir'])] });
    const { at, resolver } = await runResolver(t, { directory, parts: { sockets } });
    const session = await TcpSession.open(at);
    t.teardown(() => session.socket.destroy());
    const seen = () =>
      new Set(resolver.queries().queries.map(({ transport, rcode }) => `${transport} ${rcode}`));
    while (seen().size < 3) {
      for (let i = 0; i < 20; i++) await askUdp(at, 'web.weir', 'A');
      await askUdp(at, 'nobody.weir', 'A');
      session.send(query('web.weir', 'A'));
      await session.next();
    }
    t.same([...seen()].sort(), ['tcp NOERROR', 'udp NOERROR', 'udp NXDOMAIN']);
    t.match(resolver.queries().clients, [{ client: '127.0.0.1' }]);
    const hot = resolver.queries().queries.filter(({ rcode }) => rcode === 'NOERROR');
    t.ok(hot.every(({ name, type }) => name === 'web.weir' && type === 'A'));
  });
}
