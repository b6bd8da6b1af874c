import t from 'tap';
import type { App } from '../model/app.ts';
import { DirectoryBuilder } from './directory.ts';
import { Replica } from './snapshot.ts';
import type { Write } from './store.ts';
import { versionKey } from './tables.ts';
import { testAgent } from './testing/agents.ts';
import { testApp } from './testing/apps.ts';
import { running, testInstance, testPlacement } from './testing/instances.ts';

const web = testApp('/web', {
  version: 'v1',
  portDefinitions: [{ port: 10_000, protocol: 'tcp', labels: { VIP_0: 'web:80' } }],
  labels: { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: 'web.example.org' },
});

/** Tables and the Directory that follows them; `commit` gives the delta. */
function following() {
  const replica = new Replica();
  const builder = new DirectoryBuilder();
  builder.rebuild(replica);
  return {
    builder,
    replica,
    commit(...writes: readonly Write[]) {
      const records = writes.map((write) => ({
        table: write.table,
        key: write.key,
        value: write.kind === 'put' ? write.value : undefined,
      }));
      const change = { revision: replica.revision + 1, records };
      replica.apply(change);
      return builder.update(replica, change);
    },
  };
}

function storeApp(app: App): readonly Write[] {
  return [
    { kind: 'put', table: 'apps', key: app.id, value: app },
    { kind: 'put', table: 'versions', key: versionKey(app.id, app.version), value: app },
  ];
}

function address(name: string, ip: string): Write {
  return { kind: 'put', table: 'addresses', key: name, value: { name, address: ip } };
}

const agent: Write = { kind: 'put', table: 'agents', key: 'h1', value: testAgent('h1') };
const placement = testPlacement(web, 1, { hostPorts: [31_000] });
const placed: Write = { kind: 'put', table: 'placements', key: placement.instanceId, value: placement };
const started: Write = {
  kind: 'put',
  table: 'instances',
  key: placement.instanceId,
  value: testInstance(placement, running()),
};

t.test('the Directory of an empty store already has a revision, and every change a later one', async (t) => {
  const { builder, commit } = following();
  t.equal(builder.directory.revision, 1);
  t.match(commit(agent), { from: 1, revision: 2, agents: { set: [{ id: 'h1' }], gone: [] } });
});

t.test('an instance is in the Directory while it runs and is wanted', async (t) => {
  const { commit } = following();
  commit(agent, ...storeApp(web));
  t.equal(commit(placed), undefined, 'nothing is known of it yet');
  t.match(commit(started)?.endpoints, { set: [{ instanceId: 'web.instance-1', ready: true }], gone: [] });
  t.equal(commit(started), undefined, 'the same report again changes nothing');
  const put = (goal: 'drain' | 'stop') =>
    commit({ kind: 'put', table: 'placements', key: placement.instanceId, value: { ...placement, goal } });
  t.match(put('drain')?.endpoints, { set: [{ ready: false, draining: {} }], gone: [] });
  t.same(put('stop')?.endpoints, { set: [], gone: ['web.instance-1'] });
});

t.test('an app brings its virtual addresses and routes, and takes them along', async (t) => {
  const { commit } = following();
  const delta = commit(
    ...storeApp(web),
    address('weir/web', '11.0.0.1'),
    address('l4lb/web.marathon', '11.0.0.2'),
  );
  t.same(
    delta?.vips?.set.map((vip) => `${vip.address}:${vip.port}`),
    ['11.0.0.1:10000', '11.0.0.2:80'],
  );
  t.match(delta?.routes?.set, [{ host: 'web.example.org' }, { host: '*', table: 'app:/web:0' }]);
  t.match(delta?.listeners?.set, [{ id: 'app:/web:0', port: 10_000, whileServed: { appId: '/web' } }]);
  const gone = commit({ kind: 'delete', table: 'apps', key: '/web' });
  t.equal(gone?.vips?.gone.length, 2);
  t.equal(gone?.routes?.gone.length, 3);
  t.same(gone?.listeners?.gone, ['app:/web:0', 'app-id']);
});

t.test('an address that comes or changes later reaches the apps that wait for it', async (t) => {
  const { commit } = following();
  commit(...storeApp(web));
  t.match(commit(address('weir/web', '11.0.0.1'))?.vips?.set, [{ address: '11.0.0.1' }]);
  t.match(commit(address('weir/web', '11.0.0.9'))?.vips?.set, [{ address: '11.0.0.9' }]);
  t.equal(commit(address('weir/other', '11.0.0.5')), undefined);
});

t.test('apps that name the same VIP share it until the last one goes', async (t) => {
  const { commit, builder } = following();
  const twin = { ...web, id: '/twin', labels: {} };
  commit(...storeApp(web), ...storeApp(twin), address('l4lb/web.marathon', '11.0.0.2'));
  const key = 'tcp:web.marathon.l4lb.thisdcos.directory:80';
  const services = () => builder.directory.vips.get(key)?.services.map((service) => service.appId);
  t.same(services(), ['/twin', '/web']);
  commit({ kind: 'delete', table: 'apps', key: '/twin' });
  t.same(services(), ['/web']);
  commit({ kind: 'delete', table: 'apps', key: '/web' });
  t.same(services(), undefined);
});

t.test('an agent that moves takes its endpoints along; other news of it touches none', async (t) => {
  const { commit } = following();
  commit(agent, ...storeApp(web), placed, started);
  const moved = testAgent('h1', { address: '192.0.2.9' });
  const delta = commit({ kind: 'put', table: 'agents', key: 'h1', value: moved });
  t.match(delta?.endpoints?.set, [{ agentAddress: '192.0.2.9', ports: [{ address: '192.0.2.9' }] }]);
  const busier = { ...moved, consumers: ['dns'] };
  t.equal(commit({ kind: 'put', table: 'agents', key: 'h1', value: busier }), undefined);
});

t.test('a rebuilt Directory has nothing of before', async (t) => {
  const { commit, builder } = following();
  commit(agent, ...storeApp(web), placed, started);
  const rebuilt = builder.rebuild(new Replica());
  t.equal(rebuilt.endpoints.size + rebuilt.vips.size + rebuilt.routes.size + rebuilt.agents.size, 0);
});

t.test('an agent at the address of the leading master is a master, and leads', async (t) => {
  const replica = new Replica();
  const { address: at } = testAgent('h1');
  const builder = new DirectoryBuilder({ leader: at });
  replica.apply({ revision: 1, records: [{ table: 'agents', key: 'h1', value: testAgent('h1') }] });
  t.match(builder.rebuild(replica).agents.get('h1'), { master: true, leader: true });
  t.notOk(new DirectoryBuilder({ leader: '100.64.9.9' }).rebuild(replica).agents.get('h1')?.leader);
});
