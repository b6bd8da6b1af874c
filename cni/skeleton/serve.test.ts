import t from 'tap';
import { NOOP_RESULT } from '../testing/noop-answer.ts';
import { KNOWN_VERSIONS } from '../versions.ts';
import { type Plugin, PluginError } from './plugin.ts';
import { servePlugin } from './serve.ts';

const ENV = { CNI_CONTAINERID: 'c1', CNI_NETNS: '/ns', CNI_IFNAME: 'eth0', CNI_PATH: '/a:/b' };
const CONFIG = { cniVersion: '1.1.0', name: 'blue', type: 'x' };

function pluginOf(own: Partial<Plugin> = {}): Plugin {
  const nothing = async () => {};
  const add = async () => NOOP_RESULT;
  return {
    versions: KNOWN_VERSIONS,
    add,
    del: nothing,
    check: nothing,
    gc: nothing,
    status: nothing,
    ...own,
  };
}

async function call(
  command: string | undefined,
  given: { env?: object; config?: unknown; plugin?: Partial<Plugin> } = {},
) {
  const env = { ...ENV, ...(command === undefined ? {} : { CNI_COMMAND: command }), ...given.env };
  const config = given.config ?? CONFIG;
  const stdin = typeof config === 'string' ? config : JSON.stringify(config);
  const { exitCode, stdout } = await servePlugin(pluginOf(given.plugin), {
    env,
    readStdin: async () => stdin,
  });
  return { exitCode, json: stdout === '' ? undefined : JSON.parse(stdout) };
}

t.test('skeleton answers VERSION in the version it is asked in (P1, P2, P3)', async (t) => {
  const supportedVersions = [...KNOWN_VERSIONS];
  const asked = await call('VERSION', { config: '{"cniVersion":"0.4.0"}' });
  t.same(asked, { exitCode: 0, json: { cniVersion: '0.4.0', supportedVersions } });
  t.same((await call('VERSION', { config: '', env: { CNI_CONTAINERID: '' } })).json.cniVersion, '1.1.0');
});

t.test('skeleton refuses a call without a command or with an unknown one (P5, P6)', async (t) => {
  t.match(await call(undefined), { exitCode: 1, json: { code: 4, msg: /CNI_COMMAND/ } });
  t.match(await call('PAINT'), { exitCode: 1, json: { code: 4, msg: 'unknown CNI_COMMAND: PAINT' } });
});

t.test('skeleton names all missing variables at once (P7, P8, P9)', async (t) => {
  const env = { CNI_CONTAINERID: '', CNI_NETNS: '', CNI_IFNAME: '' };
  const all = /CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME/;
  t.match(await call('ADD', { env }), { json: { cniVersion: '1.1.0', code: 4, msg: all } });
  t.match((await call('DEL', { env })).json.msg, /missing: CNI_CONTAINERID, CNI_IFNAME$/);
  t.equal((await call('DEL', { env: { CNI_NETNS: '' } })).exitCode, 0);
});

for (const id of ['-c', 'a b', 'a/b']) {
  t.test(`skeleton refuses the container id "${id}" (P10)`, async (t) => {
    t.match(await call('ADD', { env: { CNI_CONTAINERID: id } }), {
      json: { code: 4, msg: /CNI_CONTAINERID/ },
    });
  });
}

for (const name of ['sixteen-bytes-00', 'a/b', 'a:b', 'a b', '.', '..']) {
  t.test(`skeleton refuses the interface name "${name}" (P11)`, async (t) => {
    t.match(await call('ADD', { env: { CNI_IFNAME: name } }), { json: { code: 4, msg: /CNI_IFNAME/ } });
  });
}

t.test('skeleton refuses input that is not a JSON object (P12)', async (t) => {
  for (const config of ['{', '', '[]']) t.match(await call('ADD', { config }), { json: { code: 6 } });
});

t.test('skeleton refuses a missing or invalid network name (P13)', async (t) => {
  for (const name of [undefined, '', 'a/b'])
    t.match(await call('ADD', { config: { ...CONFIG, name } }), { json: { code: 7 } });
});

t.test('skeleton names the version it was given and those it supports (P14)', async (t) => {
  const answer = await call('ADD', { config: { ...CONFIG, cniVersion: '9.9.9' } });
  t.match(answer, { exitCode: 1, json: { code: 1, details: /"9.9.9".*0.1.0, .*1.1.0/ } });
});

t.test('skeleton writes the result in the version of the request (P17, P18)', async (t) => {
  const shapes = {
    '0.2.0': { ip4: { ip: '100.64.0.2/24' } },
    '0.4.0': { ips: [{ version: '4' }] },
    '1.0.0': { ips: [{}] },
  };
  for (const [cniVersion, shape] of Object.entries(shapes)) {
    const { json } = await call('ADD', { config: { ...CONFIG, cniVersion } });
    t.match(json, { cniVersion, ...shape });
  }
});

t.test('skeleton refuses commands the version does not have (P45, P49, P56)', async (t) => {
  for (const [command, cniVersion] of [
    ['CHECK', '0.3.1'],
    ['STATUS', '1.0.0'],
    ['GC', '1.0.0'],
  ] as const) {
    t.match(await call(command, { config: { ...CONFIG, cniVersion } }), { json: { code: 1 } }, command);
  }
});

t.test('skeleton refuses CHECK without a previous result (P44)', async (t) => {
  t.match(await call('CHECK'), { json: { code: 7, msg: /prevResult/ } });
});

t.test('skeleton never calls gc without the list of what is valid (P58)', async (t) => {
  const gc = async () => void t.fail('must not be called');
  t.match(await call('GC', { plugin: { gc } }), { json: { code: 7, msg: /valid-attachments/ } });
});

t.test('skeleton hands the plugin everything it was told', async (t) => {
  const prevResult = { cniVersion: '1.1.0', ips: [{ address: '100.64.0.9/24' }] };
  const config = { ...CONFIG, prevResult, runtimeConfig: { mac: 'm' } };
  const add: Plugin['add'] = async (request) => {
    const { config: whole, call: how, ...rest } = request;
    t.same(JSON.parse(how.stdin), config);
    t.same(whole, config);
    t.same(rest, {
      network: 'blue',
      cniVersion: '1.1.0',
      runtimeConfig: { mac: 'm' },
      path: ['/a', '/b'],
      containerId: 'c1',
      netns: '/ns',
      ifName: 'eth0',
      args: 'A=1',
      previous: { interfaces: [], ips: prevResult.ips, routes: [], dns: {} },
    });
    return request.previous ?? NOOP_RESULT;
  };
  t.same((await call('ADD', { config, env: { CNI_ARGS: 'A=1' }, plugin: { add } })).json, prevResult);
});

t.test('skeleton hands the valid attachments on', async (t) => {
  const config = { ...CONFIG, 'cni.dev/valid-attachments': [{ containerID: 'c1', ifname: 'eth0' }] };
  const gc: Plugin['gc'] = async ({ valid }) => void t.same(valid, [{ containerId: 'c1', ifName: 'eth0' }]);
  t.same(await call('GC', { config, plugin: { gc } }), { exitCode: 0, json: undefined });
});

t.test('skeleton reports errors of the plugin with their code, and others as 999 (P15)', async (t) => {
  const throwing = (error: Error) => ({ plugin: { status: () => Promise.reject(error) } });
  const known = await call('STATUS', throwing(new PluginError(50, 'down', 'no socket')));
  t.same(known, { exitCode: 1, json: { cniVersion: '1.1.0', code: 50, msg: 'down', details: 'no socket' } });
  const unknown = await call('STATUS', throwing(new TypeError('oops')));
  t.same(unknown, { exitCode: 1, json: { cniVersion: '1.1.0', code: 999, msg: 'oops' } });
});
