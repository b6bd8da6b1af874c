import t from 'tap';
import { containerEndpoint, port, snapshot, vip } from './testing/directory.ts';
import { runResolver } from './testing/resolver.ts';

const other = port({ index: 1, address: '100.64.1.4', port: 81 });
const directory = snapshot(5, {
  endpoints: [
    containerEndpoint('/web', 'good'),
    containerEndpoint('/web', 'sick', { ready: false }),
    containerEndpoint('/web', 'other', { ports: [other] }),
  ],
  vips: [vip('/web', ['web.weir', 'web.marathon.l4lb.thisdcos.directory'])],
});

t.test('a VIP name is explained by the VIP and the instances behind it', async (t) => {
  const { resolver } = await runResolver(t, { directory });
  const why = await resolver.explain({ name: 'web.weir', type: 'A' });
  t.match(why, {
    revision: 5,
    zone: 'weir',
    because: 'Zone weir has 1 such record.',
    records: [{ type: 'A', data: '100.127.0.9', rule: 'name of a VIP', source: 'vip:tcp:web.weir:80' }],
    used: [{ instanceId: 'web.instance-good', at: ['100.64.1.2:80'] }],
  });
  t.same(
    why.leftOut.map(({ instanceId, reason }) => [instanceId, reason]),
    [
      ['web.instance-sick', 'its health checks do not pass (yet)'],
      ['web.instance-other', 'it does not have the port the VIP stands for'],
    ],
  );
});

t.test('a task name is explained by its instances, and the sick one is left out', async (t) => {
  const { resolver } = await runResolver(t, { directory });
  const why = await resolver.explain({ name: 'web.marathon.mesos', type: 'A' });
  t.match(why.records, [{ rule: 'Mesos-DNS task name', source: 'endpoint:web.instance-good' }, {}]);
  t.same(
    why.used.map(({ instanceId }) => instanceId),
    ['web.instance-good', 'web.instance-other'],
  );
  t.same(
    why.leftOut.map(({ instanceId }) => instanceId),
    ['web.instance-sick'],
  );
});

t.test('instances whose agent is not heard of are told apart from sick ones', async (t) => {
  const lost = { ready: false, unreachable: true } as const;
  const web = [containerEndpoint('/web', 'lost', lost), containerEndpoint('/web', 'sick', { ready: false })];
  const { resolver } = await runResolver(t, {
    directory: snapshot(5, { endpoints: web, vips: [vip('/web', ['web.weir'])] }),
  });
  const direct = await resolver.explain({ name: 'web.marathon.mesos', type: 'A' });
  t.same(
    direct.leftOut.map(({ instanceId, reason }) => [instanceId, reason]),
    [
      ['web.instance-lost', 'its agent is not heard of'],
      ['web.instance-sick', 'its health checks do not pass (yet)'],
    ],
  );
  const behindVip = await resolver.explain({ name: 'web.weir', type: 'A' });
  const ids = (list: readonly { instanceId: string }[]) => list.map(({ instanceId }) => instanceId);
  t.same(ids(behindVip.used), ['web.instance-lost'], 'a VIP without any that is ready tries them');
  t.same(ids(behindVip.leftOut), ['web.instance-sick']);
});

t.test('an alias is explained under the name it stands for', async (t) => {
  const { resolver } = await runResolver(t, { directory });
  const why = await resolver.explain({ name: 'web.marathon.dclb.thisdcos.directory', type: 'A' });
  t.equal(why.aliasOf, 'web.marathon.l4lb.thisdcos.directory');
  t.match(why.reply.answers, [{ name: 'web.marathon.dclb.thisdcos.directory' }]);
});

t.test('every kind of no is told apart', async (t) => {
  const { resolver } = await runResolver(t, { directory });
  const because = async (name: string, type = 'A') => (await resolver.explain({ name, type })).because;
  t.equal(await because('example.com'), 'The name is in none of our zones.');
  t.equal(await because('nothing.weir'), 'Zone weir has nothing at or below this name.');
  t.equal(await because('_tcp.web.weir'), 'The name has no record, but there are names below it.');
  t.equal(await because('web.weir', 'AAAA'), 'The name has no record of this type, but A.');
  t.equal(await because('weir', 'AXFR'), 'Zone weir does not answer such questions.');
  t.equal(await because('web.weir', 'NONSENSE'), 'The question is not well-formed.');
  t.equal(await because('a..b'), 'The question is not well-formed.');
});
