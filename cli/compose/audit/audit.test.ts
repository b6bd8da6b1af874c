import t from 'tap';
import type { InstanceRecord } from '../../../agent/record.ts';
import { systemClock } from '../../../core/kit/clock.ts';
import { silentLog } from '../../../core/kit/log.ts';
import { applyDelta, type Directory, emptyDirectory, type Vip } from '../../../core/model/directory.ts';
import { testApp } from '../../../core/state/testing/apps.ts';
import { testPlacement } from '../../../core/state/testing/instances.ts';
import { DnsConsumer } from '../../../dns/consumer.ts';
import { AnswersAudit } from './answers.ts';
import { InstancesAudit } from './instances.ts';

const vip = (name: string, address: string): Vip => ({
  key: `tcp:${name}:80`,
  protocol: 'tcp',
  address,
  port: 80,
  names: [name],
  services: [],
});
const of = (revision: number, ...vips: readonly Vip[]): Directory =>
  applyDelta(emptyDirectory, { from: 0, revision, vips: { set: vips, gone: [] } });

t.test('a changed answer, one that is missing, and a name too many are found and made right', async (t) => {
  const dns = new DnsConsumer(
    { clock: systemClock, log: silentLog },
    { listen: [{ address: '127.0.0.1', port: 0 }], zone: { thisNode: '127.0.0.1' } },
  );
  t.teardown(() => dns.stop());
  await dns.start();
  const right = of(5, vip('web.weir', '100.100.0.1'), vip('api.weir', '100.100.0.2'));
  await dns.apply(right, undefined);
  const at = dns.bound[0]!;
  const audit = new AnswersAudit({
    at: { address: at.address, port: at.port },
    directory: () => right,
    settled: async () => true,
    renew: async () => void (await dns.apply(right, undefined)),
  });
  t.same(await audit.audit(), []);
  for (const [wrong, says] of [
    [
      of(6, vip('web.weir', '100.100.0.9'), vip('api.weir', '100.100.0.2')),
      /web\.weir is answered with 100\.100\.0\.9/,
    ],
    [of(7, vip('web.weir', '100.100.0.1')), /api\.weir is answered with nothing/],
  ] as const) {
    await dns.apply(wrong, undefined);
    t.match(await audit.audit(), [{ what: says, repaired: true }]);
    t.same(await audit.audit(), []);
  }
});

t.test(
  'a changed answer is found while revisions come all the time, and a late one is not taken for it',
  async (t) => {
    const dns = new DnsConsumer(
      { clock: systemClock, log: silentLog },
      { listen: [{ address: '127.0.0.1', port: 0 }], zone: { thisNode: '127.0.0.1' } },
    );
    t.teardown(() => dns.stop());
    await dns.start();
    const web = vip('web.weir', '100.100.0.1');
    let revision = 5;
    let directory = of(revision, web);
    let renewed = 0;
    await dns.apply(of(1, vip('web.weir', '100.100.0.9')), undefined);
    const audit = new AnswersAudit({
      at: dns.bound[0]!,
      // Another revision each time that anybody looks.
      directory: () => {
        directory = applyDelta(directory, { from: revision, revision: ++revision });
        return directory;
      },
      settled: async () => true,
      renew: async () => {
        renewed += 1;
        await dns.apply(directory, undefined);
      },
    });
    t.match(await audit.audit(), [{ what: /100\.100\.0\.9/, repaired: true }]);
    t.equal(renewed, 1);
    const late = new AnswersAudit({
      at: dns.bound[0]!,
      directory: () => directory,
      settled: async () => {
        await dns.apply(directory, undefined);
        return true;
      },
      renew: async () => void renewed++,
    });
    directory = applyDelta(directory, {
      ...{ from: revision, revision: revision + 1 },
      vips: { set: [vip('api.weir', '100.100.0.2')], gone: [] },
    });
    t.same(await late.audit(), [], 'the resolver had not got it yet');
    t.equal(renewed, 1);
  },
);

t.test(
  'an instance that the Directory has and this machine has not is found in the second round, and reported',
  async (t) => {
    const app = testApp('/web');
    const placement = testPlacement(app, 1, {});
    const record = {
      assignment: { placement, app },
      state: { kind: 'running' },
      addresses: [{ network: 'weir', ip: '100.64.0.2' }],
    } as unknown as InstanceRecord;
    const endpoint = {
      instanceId: placement.instanceId,
      taskId: 't',
      appId: '/web',
      agentId: 'h1',
      agentAddress: '100.65.0.1',
      addresses: [{ network: 'weir', ip: '100.64.0.2' }],
      ports: [],
      ready: true,
    };
    let [records, reports]: [InstanceRecord[], number] = [[record], 0];
    let directory = applyDelta(emptyDirectory, {
      from: 0,
      revision: 1,
      endpoints: { set: [endpoint], gone: [] },
    });
    const audit = new InstancesAudit({
      agentId: 'h1',
      directory: () => directory,
      records: () => records,
      report: () => void reports++,
    });
    t.same([await audit.audit(), await audit.audit()], [[], []]);
    records = [];
    t.same(await audit.audit(), [], 'news may be on their way');
    t.match(await audit.audit(), [{ what: /does not run here/ }]);
    t.equal(reports, 1);
    records = [record];
    const moved = { ...endpoint, addresses: [{ network: 'weir', ip: '100.64.0.7' }] };
    directory = applyDelta(directory, { from: 1, revision: 2, endpoints: { set: [moved], gone: [] } });
    await audit.audit();
    t.match(await audit.audit(), [{ what: /at 100\.64\.0\.7, which is not its address/ }]);
  },
);
