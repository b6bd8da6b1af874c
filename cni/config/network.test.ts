import fc from 'fast-check';
import t from 'tap';
import { CniError } from '../errors.ts';
import { networkOf, parseNetwork } from './network.ts';

const PLUGINS = [{ type: 'bridge' }, { type: 'portmap' }];

t.test('config keeps the order of the plugins of a list (R1)', async (t) => {
  const network = networkOf({ cniVersion: '1.0.0', name: 'blue', plugins: PLUGINS });
  t.same(
    network.plugins.map(({ type }) => type),
    ['bridge', 'portmap'],
  );
});

t.test('config makes a list of one out of a single plugin (R2)', async (t) => {
  const network = parseNetwork('{"cniVersion":"0.3.1","name":"old","type":"bridge","mtu":1400}');
  t.match(network, { name: 'old', cniVersion: '0.3.1', plugins: [{ type: 'bridge', conf: { mtu: 1400 } }] });
});

t.test('config reports every fault of a list together, with its source (R3)', async (t) => {
  const faulty = '{"disableGC":"perhaps","plugins":[{"type":"bridge"},{"ipam":{}},7]}';
  t.throws(() => parseNetwork(faulty, '/etc/cni/10.conflist'), {
    code: 'WEIR_CNI_CONFIG',
    cniCode: 7,
    message:
      '/etc/cni/10.conflist: "name" is missing; "disableGC" must be true or false; plugins[1]: "type" is missing; plugins[2]: must be an object',
  });
});

for (const [what, text] of [
  ['no plugins', '{"name":"a"}'],
  ['an empty list of plugins', '{"name":"a","plugins":[]}'],
  ['plugins that are no list', '{"name":"a","plugins":{}}'],
  ['a plugin type with a separator', '{"name":"a","plugins":[{"type":"../sh"}]}'],
  ['no JSON', '{"name":'],
  ['a JSON list', '[]'],
] as const) {
  t.test(`config refuses ${what} (R3)`, async (t) => {
    t.throws(() => parseNetwork(text), { code: 'WEIR_CNI_CONFIG' });
  });
}

for (const name of ['', '-a', '.a', 'a b', 'a/b', 'ä', 'a\n']) {
  t.test(`config refuses the network name ${JSON.stringify(name)} (R4)`, async (t) => {
    t.throws(() => networkOf({ name, plugins: PLUGINS }), { code: 'WEIR_CNI_CONFIG' });
  });
}

t.test('config selects the highest version that is offered and known (R6)', async (t) => {
  const cniVersions = ['0.3.1', '1.0.0', '1.1.0'];
  t.equal(networkOf({ cniVersion: '0.4.0', cniVersions, name: 'a', plugins: PLUGINS }).cniVersion, '1.1.0');
});

t.test('config passes over versions it does not know (R7)', async (t) => {
  const network = networkOf({
    cniVersion: '0.4.0',
    cniVersions: ['9.9.9', '1.0.0'],
    name: 'a',
    plugins: PLUGINS,
  });
  t.equal(network.cniVersion, '1.0.0');
});

t.test('config refuses a list of unknown versions only (R8)', async (t) => {
  t.throws(() => networkOf({ cniVersion: '9.9.9', name: 'a', plugins: PLUGINS }, 'x.conflist'), {
    code: 'WEIR_CNI_VERSION',
    message: /x.conflist: offers only CNI 9.9.9, known are 0.1.0, .*1.1.0/,
  });
});

t.test('config reads a missing version as 0.1.0', async (t) => {
  t.equal(networkOf({ name: 'a', plugins: PLUGINS }).cniVersion, '0.1.0');
});

t.test('config reads flags written as strings', async (t) => {
  const network = networkOf({ name: 'a', disableCheck: 'true', disableGC: 'false', plugins: PLUGINS });
  t.match(network, { disableCheck: true, disableGC: false });
});

t.test('config answers any JSON with a network or a CniError', async () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (plugins, value) => {
      const text = JSON.stringify({ name: 'a', plugins, cniVersion: value, cniVersions: value });
      try {
        return parseNetwork(text).plugins.length > 0;
      } catch (error) {
        return error instanceof CniError;
      }
    }),
  );
});
