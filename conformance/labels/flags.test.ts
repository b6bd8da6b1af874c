import t from 'tap';
import { echoApp, edgePort, openLabelHost } from './label-host.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

type Labels = Readonly<Record<string, string>>;

/** Labels of the app, and whether an edge of the groups `internal` and `external` serves it; with strict mode; with `*`. */
const apps: readonly (readonly [string, Labels, string])[] = [
  ['/in', { HAPROXY_GROUP: 'internal' }, 'usual all'],
  ['/list', { HAPROXY_GROUP: 'other,external' }, 'usual all'],
  ['/other', { HAPROXY_GROUP: 'other' }, 'all'],
  ['/star', { HAPROXY_GROUP: '*' }, 'all'],
  ['/none', {}, 'all'],
  ['/port', { HAPROXY_0_GROUP: 'internal' }, 'usual all'],
  ['/away', { HAPROXY_GROUP: 'internal', HAPROXY_0_GROUP: 'other' }, 'all'],
  ['/said', { HAPROXY_GROUP: 'internal', HAPROXY_0_ENABLED: 'true' }, 'usual strict all'],
  ['/off', { HAPROXY_GROUP: 'internal', HAPROXY_0_ENABLED: 'false' }, ''],
];

const hostOf = (id: string) => `${id.slice(1)}.test`;

for (const [name, flags] of [
  ['usual', ['--edge-groups', 'internal,external']],
  ['strict', ['--edge-groups', 'internal,external', '--edge-strict']],
  ['all', ['--edge-groups', '*']],
] as const)
  t.test(`which apps an edge serves with ${flags.join(' ')}`, { skip }, async (t) => {
    const edge = await openLabelHost(t, `groups${name}`, { flags });
    const all = apps.map(([id, labels]) =>
      echoApp(id, { ...labels, HAPROXY_0_VHOST: hostOf(id) }, { ports: [0], check: false }),
    );
    for (const app of all) await edge.api.must('POST', '/v2/apps', app);
    for (const { id } of all) await edge.api.settled(id);
    for (const [id, , served] of apps) {
      const expected = served.split(' ').includes(name) ? id : undefined;
      const holds = expected === undefined ? () => true : ({ status }: { status: number }) => status === 200;
      t.equal((await edge.until('/', { host: hostOf(id) }, holds)).echo?.app, expected, id);
    }
  });

t.test('without hosts an edge serves ports only, without a port for ids none by id', { skip }, async (t) => {
  const edge = await openLabelHost(t, 'nohosts', { flags: ['--no-edge-hosts', '--app-id-port', '0'] });
  const labels = { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: 'a.test' };
  await edge.deploy(echoApp('/web', labels, { ports: [10_001] }));
  t.equal((await edge.until('/', { port: 10_001 }, ({ status }) => status === 200)).echo?.app, '/web');
  t.equal((await edge.ask('/', { port: edgePort, host: 'a.test' })).echo, undefined);
  const byId = { port: 9091, headers: { 'x-marathon-app-id': '/web' } };
  t.equal(await edge.ask('/', byId).catch(() => 'refused'), 'refused');
});
