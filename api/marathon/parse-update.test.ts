import t from 'tap';
import type { AppDraft } from './normalise.ts';
import { parseApp, parseUpdate } from './parse-app.ts';
import { renderDefinition } from './render-app.ts';

const image = { docker: { image: 'shop/api:3' }, type: 'DOCKER' };

function drafted(fields: object): AppDraft {
  const parsed = parseApp({ id: '/a', cmd: 'run', ...fields });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.body));
  return parsed.value;
}

function updated(before: AppDraft, update: object): AppDraft {
  const parsed = parseUpdate(update, renderDefinition(before), before.id);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.body));
  return parsed.value;
}

t.test('an update changes the fields it has and no other', async (t) => {
  const before = drafted({ env: { A: '1' }, labels: { x: 'y' }, healthChecks: [{ portIndex: 0 }] });
  t.same(updated(before, { instances: 3 }), { ...before, instances: 3 });
  t.same(updated(before, {}), before);
  t.same(updated(before, { cpus: null, id: '/other' }), before);
});

t.test('a field that is given replaces the old one as a whole', async (t) => {
  const before = drafted({ env: { A: '1' }, labels: { x: 'y' } });
  t.same(updated(before, { env: { B: '2' } }).env, { B: '2' });
  t.same(updated(before, { labels: {} }).labels, {});
});

t.test('ports may be given in the old form whatever form is stored', async (t) => {
  const before = drafted({ portDefinitions: [{ port: 80, name: 'http' }] });
  t.same(updated(before, { ports: [81] }).portDefinitions, [{ port: 81, protocol: 'tcp', labels: {} }]);
});

t.test('an app can move from the host network to another and back', async (t) => {
  const host = drafted({ requirePorts: true, portDefinitions: [{ port: 80 }] });
  const joined = updated(host, { networks: [{ mode: 'container', name: 'n' }] });
  t.equal(joined.portDefinitions, undefined);
  t.equal(joined.requirePorts, false);
  t.equal(joined.container?.portMappings?.length, 1);
  const container = { type: 'MESOS', portMappings: [{ containerPort: 80 }] };
  const three = drafted({ portDefinitions: [{}, {}, {}] });
  const mapped = updated(three, { networks: [{ mode: 'container', name: 'n' }], container });
  t.equal(mapped.container?.portMappings?.length, 1, 'ports of the network it left are not carried over');
  const back = updated(joined, { networks: [{ mode: 'host' }] });
  t.match(back.portDefinitions, [{ name: 'default' }]);
  t.equal(back.container?.portMappings, undefined);
});

t.test('a container in the old form brings its network with it', async (t) => {
  const before = drafted({ networks: [{ name: 'n' }] });
  const docker = { image: 'x', network: 'BRIDGE', portMappings: [{ containerPort: 80 }] };
  const after = updated(before, { container: { type: 'DOCKER', docker } });
  t.same(after.networks, [{ mode: 'container/bridge' }]);
  t.match(after.container?.portMappings, [{ containerPort: 80 }]);
});

t.test('a program can be given in the other of its two forms', async (t) => {
  const before = drafted({ container: image });
  const after = updated(before, { args: ['serve'] });
  t.equal(after.cmd, undefined);
  t.same(after.args, ['serve']);
  t.equal(updated(after, { cmd: 'run' }).args, undefined);
});

t.test('an update is refused for what it says and for what comes of it', async (t) => {
  const stored = renderDefinition(drafted({ healthChecks: [{ portIndex: 0 }] }));
  t.match(parseUpdate({ cpus: 'two' }, stored, '/a'), {
    status: 422,
    body: { message: 'Invalid JSON', details: [{ path: '/cpus' }] },
  });
  t.match(parseUpdate({ portDefinitions: [] }, stored, '/a'), {
    status: 422,
    body: { message: 'Object is not valid', details: [{ path: '/healthChecks(0)' }] },
  });
});
