import t, { type Test } from 'tap';
import { engines } from '../product/engines.ts';
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

/** What is served is chosen before an engine is told: of the others one set of flags is enough. */
const [firstEngine = 'builtin'] = engines;

for (const [name, flags, by] of [
  ['usual', ['--edge-groups', 'internal,external'], [firstEngine]],
  ['strict', ['--edge-groups', 'internal,external', '--edge-strict'], engines],
  ['all', ['--edge-groups', '*'], [firstEngine]],
] as const)
  for (const engine of by)
    t.test(`which apps an edge serves with ${flags.join(' ')} and the engine ${engine}`, { skip }, (t) =>
      servesGroups(t, { name, flags, engine }),
    );

type Groups = { readonly name: string; readonly flags: readonly string[]; readonly engine: string };

async function servesGroups(t: Test, { name, flags, engine }: Groups): Promise<void> {
  const edge = await openLabelHost(t, `groups${name}${engine}`, { engine, flags });
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
}

for (const engine of engines)
  t.test(
    `without hosts an edge serves ports only, without a port for ids none by id, with the engine ${engine}`,
    { skip },
    (t) => servesPorts(t, engine),
  );

async function servesPorts(t: Test, engine: string): Promise<void> {
  const flags = ['--no-edge-hosts', '--app-id-port', '0'];
  const edge = await openLabelHost(t, `nohosts${engine}`, { engine, flags });
  const labels = { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: 'a.test' };
  await edge.deploy(echoApp('/web', labels, { ports: [10_001] }));
  t.equal((await edge.until('/', { port: 10_001 }, ({ status }) => status === 200)).echo?.app, '/web');
  t.equal((await edge.ask('/', { port: edgePort, host: 'a.test' })).echo, undefined);
  const byId = { port: 9091, headers: { 'x-marathon-app-id': '/web' } };
  t.equal(await edge.ask('/', byId).catch(() => 'refused'), 'refused');
}
