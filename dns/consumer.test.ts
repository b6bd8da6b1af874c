import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import { systemClock } from '../core/kit/clock.ts';
import { PortInUse } from '../core/kit/listen.ts';
import { silentLog } from '../core/kit/log.ts';
import { Watched } from '../core/kit/watched.ts';
import { applyDelta, type DirectoryDelta, emptyDirectory } from '../core/model/directory.ts';
import { DnsConsumer, type DnsOptions } from './consumer.ts';
import { askUdp } from './testing/client.ts';
import { containerEndpoint, snapshot, vip } from './testing/directory.ts';
import { RCODE, rcodeOf } from './wire/types.ts';

const loopback = { address: '127.0.0.1', port: 0 };
const first = snapshot(1, { vips: [vip('/web', ['web.weir'])] });
const firstDirectory = applyDelta(emptyDirectory, first);

async function consumer(t: Test, options: Partial<DnsOptions> = {}): Promise<DnsConsumer> {
  const dns = new DnsConsumer({ clock: systemClock, log: silentLog }, { listen: [loopback], ...options });
  t.teardown(() => dns.stop());
  await dns.start();
  return dns;
}

async function addresses(dns: DnsConsumer, name: string): Promise<readonly string[]> {
  const { answers } = await askUdp(dns.bound[0]!, name, 'A');
  return answers.map((record) => (record.type === 'A' ? record.address : record.type));
}

t.test('a revision is in force when apply resolves with it', async (t) => {
  const dns = await consumer(t);
  t.same(await addresses(dns, 'web.weir'), []);
  t.equal(await dns.apply(firstDirectory, undefined), 1);
  t.same(await addresses(dns, 'web.weir'), ['100.127.0.9']);
});

t.test('a delta on the last revision is applied, and one on another makes the whole be sent', async (t) => {
  const dns = await consumer(t);
  await dns.apply(firstDirectory, undefined);
  const endpoints = { set: [containerEndpoint('/web', 'a')], gone: [] };
  const delta: DirectoryDelta = { from: 1, revision: 2, endpoints };
  const second = applyDelta(firstDirectory, delta);
  t.equal(await dns.apply(second, delta), 2);
  t.same(await addresses(dns, 'web.marathon.mesos'), ['100.64.1.2']);
  const jump = { from: 8, revision: 9, endpoints: { set: [], gone: ['web.instance-a'] } };
  t.equal(await dns.apply(applyDelta({ ...second, revision: 8 }, jump), jump), 9);
  t.same(await addresses(dns, 'web.marathon.mesos'), []);
  t.same(await addresses(dns, 'web.weir'), ['100.127.0.9'], 'the rest is still there');
});

t.test('apply may be repeated', async (t) => {
  const dns = await consumer(t);
  for (let i = 0; i < 3; i++) t.equal(await dns.apply(firstDirectory, first), 1);
  t.same(await addresses(dns, 'web.weir'), ['100.127.0.9']);
});

t.test('a revision the worker cannot take is refused, and the old one stays in force', async (t) => {
  const dns = await consumer(t);
  await dns.apply(firstDirectory, undefined);
  const broken = { ...containerEndpoint('/web', 'a'), ports: undefined as never };
  const delta: DirectoryDelta = { from: 1, revision: 2, endpoints: { set: [broken], gone: [] } };
  const second = applyDelta(firstDirectory, delta);
  for (const how of [undefined, delta]) {
    await t.rejects(dns.apply(second, how), { code: 'WEIR_DNS_WORKER_FAILED' });
    t.same(await addresses(dns, 'web.weir'), ['100.127.0.9']);
  }
  const third = { ...firstDirectory, revision: 3 };
  t.equal(await dns.apply(third, { from: 2, revision: 3 }), 3, 'sent whole, for nobody knows what is there');
  t.match(await dns.explain({ name: 'web.marathon.mesos', type: 'A' }), {
    used: [],
    leftOut: [],
    revision: 3,
  });
});

t.test(
  'a worker that dies while a large change is on its way fails that change and nothing else',
  async (t) => {
    const dns = await consumer(t);
    await dns.apply(firstDirectory, undefined);
    const set = Array.from({ length: 2_000 }, (_, i) => containerEndpoint(`/app-${i}`, 'a'));
    const delta: DirectoryDelta = { from: 1, revision: 2, endpoints: { set, gone: [] } };
    const large = applyDelta(firstDirectory, delta);
    const applied = dns.apply(large, delta);
    process.kill(dns.workerPid!, 'SIGKILL');
    await t.rejects(applied, { code: 'WEIR_DNS_WORKER_GONE' });
    t.equal(await dns.apply(large, delta), 2);
    t.same(await addresses(dns, 'app-1999.marathon.mesos'), ['100.64.1.2']);
  },
);

t.test('a crashed worker is replaced by one with the same port and the same answers', async (t) => {
  const dns = await consumer(t);
  const resets = new Watched(0);
  dns.onReset(() => resets.set(resets.value + 1));
  await dns.apply(firstDirectory, undefined);
  const [before, pid] = [dns.bound, dns.workerPid];
  process.kill(pid!, 'SIGKILL');
  await resets.until((count) => count === 1);
  t.equal(await dns.apply({ ...firstDirectory, revision: 2 }, undefined), 2, 'after the recovery');
  t.same(dns.bound, before);
  t.not(dns.workerPid, pid);
  t.same(await addresses(dns, 'web.weir'), ['100.127.0.9']);
});

t.test('a crashed worker answers again without anybody applying anything', async (t) => {
  const dns = await consumer(t);
  const reset = new Promise<void>((resolve) => dns.onReset(resolve));
  await dns.apply(firstDirectory, undefined);
  process.kill(dns.workerPid!, 'SIGKILL');
  await reset;
  t.equal(await dns.apply(firstDirectory, undefined), 1, 'waits for the new worker');
  t.same(await addresses(dns, 'web.weir'), ['100.127.0.9']);
});

t.test('more addresses can be listened on, and fewer', async (t) => {
  const dns = await consumer(t);
  await dns.apply(firstDirectory, undefined);
  const [own] = dns.bound;
  const [kept, added] = await dns.listen([loopback, { address: '127.0.0.3', port: 0 }]);
  t.same(kept, own, 'the first is not opened again');
  t.equal((await askUdp(added!, 'web.weir', 'A')).answers.length, 1);
  t.same(await dns.listen([loopback]), [own]);
  const probe = createSocket('udp4').bind(added!.port, added!.address);
  await once(probe, 'listening');
  probe.close();
  t.same(await addresses(dns, 'web.weir'), ['100.127.0.9']);
});

t.test('a UDP port in use fails the start with its name, and leaves nothing running', async (t) => {
  const other = createSocket('udp4').bind(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const { port } = other.address();
  const parts = { clock: systemClock, log: silentLog };
  const dns = new DnsConsumer(parts, { listen: [{ address: '127.0.0.1', port }] });
  await t.rejects(dns.start(), {
    constructor: PortInUse,
    code: 'WEIR_PORT_IN_USE',
    message: `Cannot listen on 127.0.0.1:${port} (udp): another process has the port`,
    protocol: 'udp',
    address: '127.0.0.1',
    port,
  });
  t.equal(dns.workerPid, undefined);
});

t.test('a TCP port in use fails the start too', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const address = other.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const dns = new DnsConsumer(
    { clock: systemClock, log: silentLog },
    { listen: [{ address: '127.0.0.1', port }] },
  );
  await t.rejects(dns.start(), { code: 'WEIR_PORT_IN_USE', protocol: 'tcp' });
});

t.test('an address that cannot be had later changes nothing', async (t) => {
  const dns = await consumer(t);
  const [own] = dns.bound;
  await t.rejects(dns.listen([loopback, { address: '203.0.113.1', port: 0 }]), {
    code: 'WEIR_CANNOT_LISTEN',
  });
  t.same(dns.bound, [own]);
  t.equal(rcodeOf(await askUdp(own!, 'example.com', 'A')), RCODE.REFUSED);
});

t.test('a stopped resolver can be started again', async (t) => {
  const dns = await consumer(t);
  await dns.apply(firstDirectory, undefined);
  await dns.stop();
  await dns.stop();
  t.equal(dns.workerPid, undefined);
  await t.rejects(dns.resolve({ name: 'web.weir', type: 'A' }), { code: 'WEIR_DNS_WORKER_GONE' });
  await dns.start();
  t.equal(await dns.apply(firstDirectory, undefined), 1);
  t.same(await addresses(dns, 'web.weir'), ['100.127.0.9']);
});

t.test('resolve, explain, metrics and the Mesos-DNS API reach the worker', async (t) => {
  const dns = await consumer(t);
  await dns.apply(firstDirectory, undefined);
  t.match(await dns.resolve({ name: 'WEB.weir.', type: 'a' }), {
    rcode: 'NOERROR',
    answers: [{ name: 'web.weir', type: 'A', ttl: 5, data: '100.127.0.9' }],
  });
  t.match(await dns.explain({ name: 'web.weir', type: 'A' }), { revision: 1, zone: 'weir' });
  t.match(await dns.mesos('/v1/version'), { status: 200 });
  t.match(await dns.metrics(), /weir_dns_revision 1\n/);
});

t.test('a worker that does not answer fails the start, and is not left running', async (t) => {
  const clock = {
    now: systemClock.now,
    sleep: (ms: number, signal?: AbortSignal) =>
      ms === 15_000 ? Promise.resolve() : systemClock.sleep(ms, signal),
  };
  const dns = new DnsConsumer({ clock, log: silentLog }, { listen: [{ address: '127.0.0.1', port: 0 }] });
  await t.rejects(dns.start(), {
    code: 'WEIR_DNS_WORKER_FAILED',
    message: 'Cannot listen in the DNS worker: no answer within 15 s',
  });
  t.equal(dns.workerPid, undefined);
});
