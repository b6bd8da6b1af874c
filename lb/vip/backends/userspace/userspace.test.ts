import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import t from 'tap';
import { FakeClock } from '../../../../core/kit/fake-clock.ts';
import { silentLog } from '../../../../core/kit/log.ts';
import { table, vip, vipBackendContract } from '../../backend.contract.ts';
import { Actor } from '../../testing/actor.ts';
import { UserspaceVips } from './userspace.ts';

const create = (options = {}) =>
  new UserspaceVips({ clock: new FakeClock(), log: silentLog, random: Math.random }, options);

/** A port on which nothing listens, not even on all addresses at once. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '0.0.0.0');
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  await once(server, 'close');
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

t.test('userspace', async (t) => {
  const actor = new Actor();
  const serve = async (instanceId: string, protocol: 'tcp' | 'udp') => ({
    instanceId,
    address: '127.0.0.1',
    port: await actor.listen(instanceId, protocol, '127.0.0.1', 0),
  });
  const backend = create();
  await vipBackendContract(t, async () => ({
    backend,
    tcp: [await serve('one', 'tcp'), await serve('two', 'tcp')],
    udp: [await serve('three', 'udp'), await serve('four', 'udp')],
    ports: [await freePort(), await freePort()],
    vips: ['127.94.1.1', '127.94.1.2'],
    ask: (to) => actor.ask(to),
    askFrom: (key, to) => actor.askFrom(key, to),
    hold: (key, to) => actor.hold(key, to),
    say: (key, text) => actor.say(key, text),
    drop: (key) => actor.drop(key),
    close: async () => {
      await backend.stop();
      await actor.close();
    },
  }));
});

t.test('a port that another program had is served soon after it is free', async (t) => {
  const [port, actor] = [await freePort(), new Actor()];
  const clock = new FakeClock();
  const backend = new UserspaceVips({ clock, log: silentLog, random: Math.random });
  t.teardown(() => Promise.all([backend.stop(), actor.close()]));
  await actor.listen('taken', 'tcp', '127.94.3.1', port);
  const target = {
    instanceId: 'one',
    address: '127.0.0.1',
    port: await actor.listen('one', 'tcp', '127.0.0.1', 0),
  };
  const service = vip('tcp', '127.94.3.1', port, [target]);
  await backend.start();
  t.match(await backend.apply(table(service)), [{ reason: /another process/ }]);
  await actor.unlisten('taken');
  for (let i = 0; backend.unserved().length > 0 && i < 100; i++) await clock.advance(1_000);
  t.match(await actor.ask(service), { kind: 'answer', name: 'one' });
});

t.test(
  'a VIP whose first choice refuses is answered by another, which is asked first from then on',
  async (t) => {
    const [port, closed, actor] = [await freePort(), await freePort(), new Actor()];
    const backend = create();
    t.teardown(() => Promise.all([backend.stop(), actor.close()]));
    const good = {
      instanceId: 'good',
      address: '127.0.0.1',
      port: await actor.listen('good', 'tcp', '127.0.0.1', 0),
    };
    const bad = { instanceId: 'bad', address: '127.0.0.1', port: closed };
    const service = vip('tcp', '127.94.4.1', port, [bad, good]);
    await backend.apply(table(service));
    t.same(await actor.load(service, 20), { asked: 20, failed: [] });
    t.same([...backend.ejected()], [`tcp:127.0.0.1:${closed}`]);
  },
);

t.test('userspace serves IPv6 addresses of this machine', async (t) => {
  const [port, actor] = [await freePort(), new Actor()];
  const backend = create();
  t.teardown(() => Promise.all([backend.stop(), actor.close()]));
  for (const protocol of ['tcp', 'udp'] as const) {
    const target = {
      instanceId: 'six',
      address: '::1',
      port: await actor.listen(protocol, protocol, '::1', 0),
    };
    const service = vip(protocol, '::1', port, [target]);
    t.same(await backend.apply(table(service)), []);
    t.match(await actor.ask(service), { kind: 'answer', name: protocol });
  }
});

t.test('a port that cannot be bound is a problem of its service alone', async (t) => {
  const vipPort = await freePort();
  const actor = new Actor();
  const backend = create();
  t.teardown(() => Promise.all([backend.stop(), actor.close()]));
  const port = await actor.listen('taken', 'tcp', '127.94.2.1', 0);
  const target = { instanceId: 'taken', address: '127.94.2.1', port };
  const problems = await backend.apply(
    table(
      vip('tcp', '127.94.2.1', port, [target]),
      vip('tcp', '192.0.2.1', vipPort, [target]),
      vip('udp', '192.0.2.1', vipPort, [target]),
      vip('tcp', '127.94.2.2', vipPort, [target]),
    ),
  );
  t.match(problems, [
    { key: `tcp:127.94.2.1:${port}`, reason: /another process listens/ },
    { key: `tcp:192.0.2.1:${vipPort}`, reason: /not one of this machine/ },
    { key: `udp:192.0.2.1:${vipPort}`, reason: /not one of this machine/ },
  ]);
  t.match(await actor.ask(vip('tcp', '127.94.2.2', vipPort, [])), { kind: 'answer', name: 'taken' });
});

t.test('a backend that refuses is passed over, and when all refuse the client is refused', async (t) => {
  const vipPort = await freePort();
  const actor = new Actor();
  const backend = create();
  t.teardown(() => Promise.all([backend.stop(), actor.close()]));
  const port = await actor.listen('good', 'tcp', '127.0.0.1', 0);
  const good = { instanceId: 'good', address: '127.0.0.1', port };
  const bad = { instanceId: 'bad', address: '127.94.3.9', port: 1 };
  const web = (...backends: (typeof good)[]) => vip('tcp', '127.94.3.1', vipPort, backends);
  await backend.apply(table(web(bad, good)));
  t.same(await actor.load(web(), 20), { asked: 20, failed: [] });
  await backend.apply(table(web(bad)));
  t.match(await actor.ask(web()), { kind: 'refused' });
});

t.test('a half-closed connection still carries the other direction', async (t) => {
  const vipPort = await freePort();
  const backend = create();
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    const parts: Buffer[] = [];
    for await (const part of socket.iterator({ destroyOnReturn: false })) parts.push(part);
    socket.end(`got ${Buffer.concat(parts).length}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => Promise.all([backend.stop(), server.close()]));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const service = vip('tcp', '127.94.4.1', vipPort, [{ instanceId: 'one', address: '127.0.0.1', port }]);
  await backend.apply(table(service));
  const client = connect({ host: '127.94.4.1', port: vipPort, allowHalfOpen: true });
  client.end(Buffer.alloc(3_000_000));
  t.equal((await client.toArray()).join(''), 'got 3000000');
  const left = new Set([`tcp:127.0.0.1:${port}`]);
  t.equal((await backend.connections(left)).size, 0);
});

t.test('a slow reader slows its sender instead of filling memory', async (t) => {
  const vipPort = await freePort();
  const backend = create();
  const server = createServer((socket) => socket.pause());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const service = vip('tcp', '127.94.5.1', vipPort, [{ instanceId: 'slow', address: '127.0.0.1', port }]);
  await backend.apply(table(service));
  const client = connect({ host: '127.94.5.1', port: vipPort });
  client.on('error', () => {});
  t.teardown(async () => {
    client.destroy();
    await backend.stop();
    server.close();
  });
  const megabytes = await fill(client, 64);
  t.ok(megabytes < 64, `the sender was stopped after ${megabytes} MB`);
});

t.test('a client whose backend resets is reset', async (t) => {
  const vipPort = await freePort();
  const backend = create();
  const server = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => Promise.all([backend.stop(), server.close()]));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  await backend.apply(
    table(vip('tcp', '127.94.6.1', vipPort, [{ instanceId: 'one', address: '127.0.0.1', port }])),
  );
  const client = connect({ host: '127.94.6.1', port: vipPort });
  client.write('x');
  await t.rejects(once(client, 'data'), { code: 'ECONNRESET' });
});

t.test(
  'a UDP flow that is idle is forgotten, and the oldest makes room when there are too many',
  async (t) => {
    const vipPort = await freePort();
    const actor = new Actor();
    const clock = new FakeClock();
    const backend = new UserspaceVips({ clock, log: silentLog, random: () => 0 }, { maxUdpFlows: 2 });
    t.teardown(() => Promise.all([backend.stop(), actor.close()]));
    await backend.start();
    const port = await actor.listen('one', 'udp', '127.0.0.1', 0);
    const service = vip('udp', '127.94.7.1', vipPort, [{ instanceId: 'one', address: '127.0.0.1', port }]);
    await backend.apply(table(service));
    const flows = async () => (await backend.counters()).get(`udp:127.94.7.1:${vipPort}`)?.connections;
    for (const key of ['a', 'b', 'a', 'b', 'c', 'b', 'a']) await actor.askFrom(key, service);
    t.equal(await flows(), 4, 'a was forgotten for c and began again');
    await clock.advance(120_000);
    await actor.askFrom('a', service);
    t.equal(await flows(), 5, 'a had been idle');
  },
);

t.test('an answer that was under way when its UDP flow moved still gets to its client', async (t) => {
  const vipPort = await freePort();
  const [actor, backend] = [new Actor(), create()];
  const slow = createSocket('udp4').bind(0, '127.0.0.1');
  await once(slow, 'listening');
  t.teardown(() => Promise.all([backend.stop(), actor.close(), slow.close()]));
  const late = { instanceId: 'late', address: '127.0.0.1', port: slow.address().port };
  const port = await actor.listen('next', 'udp', '127.0.0.1', 0);
  const next = { instanceId: 'next', address: '127.0.0.1', port };
  const service = vip('udp', '127.94.8.1', vipPort, [late]);
  await backend.apply(table(service));
  const reply = actor.askFrom('kept', service);
  const [, from] = await once(slow, 'message');
  await backend.apply(table({ ...service, backends: [next] }));
  slow.send('late', from.port, from.address);
  t.match(await reply, { kind: 'answer', name: 'late' });
  t.match(await actor.askFrom('kept', service), { kind: 'answer', name: 'next' }, 'who asks again');
});

/** Writes megabytes until the socket asks to wait and stays so for many turns of the event loop, or `most` are written. */
async function fill(client: ReturnType<typeof connect>, most: number): Promise<number> {
  const block = Buffer.alloc(1_000_000);
  let written = 0;
  for (let idle = 0; idle < 2_000 && written < most; ) {
    if (client.writableLength < block.length) {
      client.write(block);
      written++;
      idle = 0;
    } else idle++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return written;
}
