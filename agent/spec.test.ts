import t from 'tap';
import type { InstanceRecord } from './record.ts';
import type { ContainerSpec } from './runtime.ts';
import type { SpecHost } from './setting.ts';
import { specsOf } from './spec.ts';
import { assignmentOf, recordOf } from './testing/assignments.ts';

const host: SpecHost = {
  hostname: 'one',
  address: '100.64.255.1',
  nameserver: '169.254.53.53',
  resolvConf: 'nameserver 192.0.2.53\nsearch corp.example\n',
  isolates: true,
  logDir: (instance: string, container: string) => `/logs/${instance}/${container}`,
  volume: (key, name) => `/data/volumes/${key}/${name}`,
};

function specOf(...given: Parameters<typeof specsOf>): ContainerSpec {
  const [spec, ...more] = specsOf(...given);
  if (spec === undefined || more.length > 0) throw new Error('an app has one container');
  return spec;
}

const staging: Partial<InstanceRecord> = {
  state: { kind: 'staging', step: 'fetching', since: 0 },
  netns: '/run/netns/weir-x',
  addresses: [{ network: 'blue', ip: '100.64.0.2' }],
};

t.test(
  'a container on a network of its own asks its machine for names and knows its own address',
  async (t) => {
    const record = recordOf('a', staging);
    const spec = specOf(record.assignment, record, host);
    t.match(spec.files.resolvConf, /^nameserver 169\.254\.53\.53\nsearch .*weir\noptions ndots:0 /);
    t.match(spec.files.hosts, /^100\.64\.0\.2\t/m);
    t.same(spec.netns, { kind: 'path', path: '/run/netns/weir-x' });
    t.equal(spec.env.HOST, '100.64.0.2');
    t.notOk('WEIR_ADDRESS' in spec.env);
  },
);

t.test(
  'an instance in host mode has the network stack of the machine, and finds names of both',
  async (t) => {
    const assignment = assignmentOf('a', { app: { networks: [{ mode: 'host' }] } });
    const spec = specOf(assignment, recordOf('a', { ...staging, assignment, addresses: [] }), host);
    const { resolvConf = '', ...others } = spec.files;
    t.same(resolvConf.split('\n').slice(0, 3), [
      'nameserver 169.254.53.53',
      'nameserver 192.0.2.53',
      'search weir corp.example',
    ]);
    t.same(others, {});
    t.same(spec.netns, { kind: 'host' });
    t.equal(spec.env.HOST, 'one');
  },
);

t.test(
  'without network stacks of its own an instance is told which address of the machine is its',
  async (t) => {
    const record = recordOf('a', { ...staging, addresses: [{ network: 'blue', ip: '127.64.0.2' }] });
    const spec = specOf(record.assignment, record, { ...host, isolates: false });
    t.equal(spec.env.WEIR_ADDRESS, '127.64.0.2');
    t.same(spec.netns, { kind: 'host' });
  },
);

t.test('attempts of one instance are different containers with logs of their own', async (t) => {
  const [first, second] = [1, 2].map((attempt) => {
    const assignment = assignmentOf('a', { attempt });
    return specOf(assignment, recordOf('a', { ...staging, assignment }), host);
  });
  t.not(first!.id, second!.id);
  t.equal(first!.logDir, `/logs/${first!.id.replace(/\.1$/, '')}/${first!.id}`);
});
