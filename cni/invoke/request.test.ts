import t from 'tap';
import { parseNetwork } from '../config/network.ts';
import { network } from '../testing/fixture.ts';
import { derivePluginRequest, type RequestParts } from './request.ts';

function derive(plugin: object, parts: RequestParts = {}) {
  const list = network([{ type: 'a', ...plugin }]);
  return JSON.parse(derivePluginRequest(list, list.plugins[0]!, parts));
}

t.test('request carries name and selected version and no capabilities (R15)', async (t) => {
  t.same(derive({ capabilities: { mac: true } }), { type: 'a', cniVersion: '1.1.0', name: 'blue' });
});

t.test('request holds the capability arguments the plugin declared (R16)', async (t) => {
  const capabilityArgs = { portMappings: [{ hostPort: 80 }], mac: 'c2:00:00:00:00:01', ips: ['10.0.0.1/24'] };
  const { runtimeConfig } = derive({ capabilities: { portMappings: true, mac: false } }, { capabilityArgs });
  t.same(runtimeConfig, { portMappings: [{ hostPort: 80 }] });
});

t.test('request has no runtimeConfig when nothing matches (R17)', async (t) => {
  const request = derive({ capabilities: { mac: true } }, { capabilityArgs: { ips: ['10.0.0.1/24'] } });
  t.notOk('runtimeConfig' in request);
});

t.test('request hands unknown keys on digit for digit (R18)', async (t) => {
  const plugin = '{"type":"a","big":9007199254740993,"nested":{"list":[1.50,-0,1e400,{"x":null}]}}';
  const list = parseNetwork(`{"cniVersion":"1.1.0","name":"blue","plugins":[${plugin}]}`);
  const text = derivePluginRequest(list, list.plugins[0]!, {});
  t.match(text, '"big":9007199254740993,"nested":{"list":[1.5');
  t.match(text, '1e400,{"x":null}]}');
});

t.test('request does not forward generated keys that were written in the file (R19)', async (t) => {
  const written = {
    runtimeConfig: { a: 1 },
    prevResult: {},
    args: { cni: {} },
    'cni.dev/x': 1,
    ipam: { type: 'i' },
  };
  t.same(derive(written), { type: 'a', cniVersion: '1.1.0', name: 'blue', ipam: { type: 'i' } });
});

t.test('request of GC names the valid attachments under both keys (R35)', async (t) => {
  const request = derive({}, { validAttachments: [{ containerId: 'c1', ifName: 'eth0' }] });
  t.same(request['cni.dev/valid-attachments'], [{ containerID: 'c1', ifname: 'eth0' }]);
  t.same(request['cni.dev/attachments'], [{ containerID: 'c1', ifname: 'eth0' }]);
});
