import t from 'tap';
import { portsOf } from '../../core/model/ports.ts';
import type { AppDraft } from './normalise.ts';
import { parseApp } from './parse-app.ts';

const image = { image: 'shop/api:3' };

function drafted(fields: object): AppDraft {
  const parsed = parseApp({ id: '/shop/api', cmd: 'run', ...fields });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.body));
  return parsed.value;
}

t.test('a relative id and its dependencies become absolute', async (t) => {
  t.equal(drafted({ id: 'api' }).id, '/api');
  t.equal(drafted({ id: '/shop/../crm/./api' }).id, '/crm/api');
  t.same(drafted({ dependencies: ['db', '../bus', '/x'] }).dependencies, ['/shop/db', '/bus', '/x']);
});

t.test('enumerations are read in any case and kept in theirs', async (t) => {
  const draft = drafted({
    killSelection: 'oldest_first',
    unreachableStrategy: 'Disabled',
    constraints: [['rack', 'group_by', '3']],
    healthChecks: [{ protocol: 'mesos_http' }],
  });
  t.equal(draft.killSelection, 'OLDEST_FIRST');
  t.equal(draft.unreachableStrategy, 'disabled');
  t.same(draft.constraints, [{ field: 'rack', operator: 'GROUP_BY', value: '3' }]);
  t.equal(draft.healthChecks[0]?.protocol, 'MESOS_HTTP');
});

t.test('a health check has the defaults of Marathon, and the first port unless it names one', async (t) => {
  const [plain, fixed, command] = drafted({
    healthChecks: [{}, { port: 80 }, { protocol: 'COMMAND', command: { value: 'true' } }],
  }).healthChecks;
  t.same(plain, {
    protocol: 'HTTP',
    portIndex: 0,
    gracePeriodSeconds: 300,
    intervalSeconds: 60,
    timeoutSeconds: 20,
    maxConsecutiveFailures: 3,
    delaySeconds: 15,
  });
  t.equal(fixed?.portIndex, undefined);
  t.equal(command?.portIndex, undefined);
});

t.test('a single-instance app is replaced before it is started again', async (t) => {
  const draft = drafted({ labels: { MARATHON_SINGLE_INSTANCE_APP: 'true' } });
  t.same(draft.upgradeStrategy, { minimumHealthCapacity: 0, maximumOverCapacity: 0 });
});

t.test('an app off the host network has a container and a port unless it says otherwise', async (t) => {
  const container = drafted({ networks: [{ mode: 'container/bridge' }] }).container;
  t.match(container, {
    type: 'MESOS',
    volumes: [],
    portMappings: [{ containerPort: 0, hostPort: 0, name: 'default' }],
  });
  const none = drafted({ networks: [{ name: 'a' }], container: { type: 'MESOS', portMappings: [] } });
  t.same(none.container?.portMappings, []);
  t.equal(none.portDefinitions, undefined);
});

t.test('a container network without a name is the one every installation has', async (t) => {
  t.same(drafted({ networks: [{ mode: 'container' }] }).networks, [{ mode: 'container', name: 'weir' }]);
});

t.test('a mapping without host port gets one on a bridge only', async (t) => {
  const container = { type: 'MESOS', portMappings: [{ containerPort: 80 }] };
  const bridged = drafted({ networks: [{ mode: 'container/bridge' }], container });
  t.equal(bridged.container?.portMappings?.[0]?.hostPort, 0);
  const joined = drafted({ networks: [{ name: 'a' }], container });
  t.equal(joined.container?.portMappings?.[0]?.hostPort, undefined);
});

t.test(
  'ports of the host form become mappings off the host network, as far as there are more of them',
  async (t) => {
    const networks = [{ mode: 'container/bridge' }];
    const count = (fields: object) => drafted({ networks, ...fields }).container?.portMappings?.length;
    t.equal(count({ portDefinitions: [{ port: 1 }, { port: 2 }] }), 2);
    t.equal(count({ ports: [1, 2, 3], container: { type: 'MESOS', portMappings: [{}] } }), 3);
    t.equal(count({ ports: [1], container: { type: 'MESOS', portMappings: [{}, {}] } }), 2);
    t.equal(count({ portDefinitions: [], container: { type: 'MESOS', portMappings: [] } }), 0);
    t.equal(
      drafted({ networks, requirePorts: true }).requirePorts,
      false,
      'there is no host port to require',
    );
  },
);

t.test('mappings on the host network are dropped', async (t) => {
  const draft = drafted({ container: { type: 'MESOS', portMappings: [{ containerPort: 80 }] } });
  t.equal(draft.container?.portMappings, undefined);
  t.match(draft.portDefinitions, [{ port: 0, name: 'default' }]);
});

t.test('networks in the forms before 1.5 become networks', async (t) => {
  const docker = (network: string) => ({ cmd: null, container: { docker: { ...image, network } } });
  const rows: readonly [fields: object, networks: object[]][] = [
    [docker('HOST'), [{ mode: 'host' }]],
    [docker('BRIDGE'), [{ mode: 'container/bridge' }]],
    [docker('USER'), [{ mode: 'container', name: 'weir' }]],
    [
      { ...docker('USER'), ipAddress: { networkName: 'a', labels: { x: 'y' } } },
      [{ mode: 'container', name: 'a', labels: { x: 'y' } }],
    ],
    [{ ipAddress: { networkName: 'a' } }, [{ mode: 'container', name: 'a' }]],
    [{ ipAddress: { networkName: 'mesos-bridge' } }, [{ mode: 'container/bridge' }]],
    [{ ipAddress: {} }, [{ mode: 'container', name: 'weir' }]],
  ];
  for (const [fields, networks] of rows) t.same(drafted(fields).networks, networks, JSON.stringify(fields));
});

t.test('ports in the forms before 1.5 become definitions and mappings', async (t) => {
  t.same(drafted({ ports: [80, 0] }).portDefinitions, [
    { port: 80, protocol: 'tcp', labels: {} },
    { port: 0, protocol: 'tcp', labels: {} },
  ]);
  const old = { ...image, network: 'BRIDGE', portMappings: [{ containerPort: 80, servicePort: 90 }] };
  t.match(drafted({ container: { docker: old } }).container?.portMappings, [
    { containerPort: 80, hostPort: 0, servicePort: 90 },
  ]);
  const ports = [{ number: 80, name: 'http', protocol: 'udp', labels: { VIP_0: '/x:1' } }];
  const discovered = drafted({ ipAddress: { networkName: 'a', discovery: { ports } } });
  t.same(discovered.container?.portMappings, [
    {
      containerPort: 80,
      servicePort: 0,
      protocol: 'udp',
      name: 'http',
      labels: { VIP_0: '/x:1' },
      networkNames: [],
    },
  ]);
});

t.test('the ports of an app are the same whichever form they were written in', async (t) => {
  const ports = (fields: object) => portsOf(drafted(fields));
  t.match(ports({ requirePorts: true, portDefinitions: [{ port: 8080 }] }), [
    { hostPort: 8080, servicePort: 8080 },
  ]);
  t.match(ports({ portDefinitions: [{ port: 8080 }] }), [{ hostPort: 0, servicePort: 8080 }]);
  const both = [{ containerPort: 53, protocol: 'udp,tcp' }];
  const [dns] = ports({ networks: [{ name: 'a' }], container: { type: 'MESOS', portMappings: both } });
  t.same(dns?.protocols, ['udp', 'tcp']);
  t.equal(dns?.hostPort, undefined, 'no host port was asked for on a container network');
});
