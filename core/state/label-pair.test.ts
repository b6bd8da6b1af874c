import t from 'tap';
import { LabelEntries } from './label-entries.ts';
import { testApp } from './testing/apps.ts';

type Labels = Readonly<Record<string, string>>;

const group = { HAPROXY_GROUP: 'external', HAPROXY_DEPLOYMENT_GROUP: 'web', HAPROXY_0_PORT: '10000' };
const portDefinitions = [{ port: 10_001, protocol: 'tcp', labels: {} } as const];

function app(colour: string, labels: Labels = {}, more: Parameters<typeof testApp>[1] = {}) {
  const began = { HAPROXY_DEPLOYMENT_STARTED_AT: colour === 'blue' ? '2020-01-01' : '2020-01-02' };
  return testApp(`/shop/web-${colour}`, {
    ...{ instances: 4, portDefinitions },
    labels: { ...group, ...began, ...labels },
    ...more,
  });
}

/** What labels of these apps make, all read at once. */
function read(...all: readonly ReturnType<typeof app>[]) {
  const apps = new Map(all.map((one) => [one.id, one]));
  const { read: said, serverSets } = new LabelEntries().change(apps, new Set(apps.keys()));
  return {
    routes: said.flatMap(({ after }) => after.routes),
    listeners: said.flatMap(({ after }) => after.listeners),
    set: serverSets.get('pair:/shop/web:0'),
  };
}

t.test('apps of one deployment group are one backend of its name, at one place', async (t) => {
  const { routes, listeners, set } = read(app('blue'), app('green'));
  t.match(routes, [{ backend: 'web_10000', service: { appId: 'pair:/shop/web:0', portIndex: 0 } }]);
  t.match(listeners, [{ port: 10_000, id: 'app:/web:0' }]);
  t.equal(listeners.length, 1);
  t.match(set?.sources, [{ appId: '/shop/web-blue' }, { appId: '/shop/web-green' }]);
  t.equal(read(app('blue')).set?.swap, undefined);
});

t.test('the app that was begun later takes the place of the other', async (t) => {
  const counted = { HAPROXY_DEPLOYMENT_NEW_INSTANCES: '0', HAPROXY_DEPLOYMENT_TARGET_INSTANCES: '3' };
  t.same(read(app('green', counted), app('blue')).set?.swap, {
    ...{ old: '/shop/web-blue', oldInstances: 4, new: '/shop/web-green', target: 3 },
  });
  t.match(read(app('blue', { HAPROXY_DEPLOYMENT_STARTED_AT: '' }), app('green')).set?.swap, {
    old: '/shop/web-blue',
  });
});

t.test('without the count of new instances all old ones may go when one is there', async (t) => {
  t.equal(read(app('blue'), app('green')).set?.swap?.target, 1);
});

t.test('of a hybrid the app that was scaled last takes the place of the other', async (t) => {
  const hybrid = { HAPROXY_DEPLOYMENT_NEW_INSTANCES: '2', HAPROXY_DEPLOYMENT_TARGET_INSTANCES: '4' };
  const scaled = (at: string) => ({ versionInfo: { lastScalingAt: at, lastConfigChangeAt: at } });
  const back = read(app('blue', hybrid, scaled('2021')), app('green', hybrid, scaled('2020')));
  t.match(back.set?.swap, { old: '/shop/web-green', new: '/shop/web-blue', target: 4 });
  const on = read(app('blue', hybrid, scaled('2020')), app('green', hybrid, scaled('2021')));
  t.match(on.set?.swap, { old: '/shop/web-blue', new: '/shop/web-green' });
});

t.test('an app that leaves its group, or is gone, takes its part along', async (t) => {
  const [blue, green] = [app('blue'), app('green')];
  const entries = new LabelEntries();
  const apps = new Map([blue, green].map((one) => [one.id, one]));
  entries.change(apps, new Set(apps.keys()));
  apps.delete(blue.id);
  const rest = entries.change(apps, new Set([blue.id]));
  t.match(rest.serverSets.get('pair:/shop/web:0')?.sources, [{ appId: green.id }]);
  apps.set(green.id, app('green', { HAPROXY_DEPLOYMENT_GROUP: '' }));
  const none = entries.change(apps, new Set([green.id]));
  t.equal(none.serverSets.get('pair:/shop/web:0'), undefined);
  t.match(
    none.read.flatMap(({ after }) => after.routes),
    [{ service: { appId: green.id } }],
  );
});
