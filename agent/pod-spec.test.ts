import t from 'tap';
import type { App } from '../core/model/app.ts';
import type { PodContainer } from '../core/model/pod.ts';
import { SecretMissing } from './environment.ts';
import type { InstanceRecord } from './record.ts';
import { specsOf } from './spec.ts';
import { assignmentOf, keyOf, podOf, recordOf } from './testing/assignments.ts';

const host = {
  ...{ hostname: 'one', address: '100.64.255.1', nameserver: '100.64.255.1', resolvConf: '', isolates: true },
  logDir: (instance: string, container: string) => `/logs/${instance}/${container}`,
  volume: (key: string, name: string) => `/data/volumes/${key}/${name}`,
};

const attached: Partial<InstanceRecord> = {
  netns: '/run/netns/weir-x',
  addresses: [{ network: 'blue', ip: '100.64.0.2' }],
};

const { pod } = podOf('web', 'side');

/** The containers of a pod whose second one differs by `fields`. */
function specs(fields: Partial<PodContainer> = {}, app: Partial<App> = {}) {
  const containers = (pod?.containers ?? []).map((one, index) => (index === 1 ? { ...one, ...fields } : one));
  const assignment = assignmentOf('a', {
    app: { env: { A: 'pod', B: 'pod' }, ...app, ...(pod && { pod: { ...pod, containers } }) },
  });
  const [web, side] = specsOf(assignment, recordOf('a', { ...attached, assignment }), host);
  if (web === undefined || side === undefined) throw new Error('a container is missing');
  return { web, side };
}

t.test('containers of a pod have one network and one folder to share, and names of their own', async (t) => {
  const { web, side } = specs();
  t.same([web.id, side.id], [`${keyOf('a')}.web`, `${keyOf('a')}.side`]);
  for (const { netns } of [web, side]) t.same(netns, { kind: 'path', path: '/run/netns/weir-x' });
  t.same(web.files, side.files);
  const hostPath = `/data/volumes/${keyOf('a')}/shared`;
  t.same(web.mounts, [{ hostPath, containerPath: 'at-web', mode: 'RW' }]);
  t.same(side.mounts, [{ hostPath, containerPath: 'at-side', mode: 'RO' }]);
  t.not(web.logDir, side.logDir);
});

t.test('a container of a pod is told what it is, and of every endpoint of the pod', async (t) => {
  const { side } = specs({ environment: { B: 'container', HOST: 'mine', MARATHON_APP_ID: 'mine' } });
  t.match(side.env, {
    ...{ A: 'pod', B: 'container', HOST: '100.64.0.2', MARATHON_APP_ID: '/web' },
    MESOS_TASK_ID: 'web.instance-a.side.1',
    MESOS_EXECUTOR_ID: 'instance-web.a',
    MARATHON_CONTAINER_ID: 'side',
    MARATHON_CONTAINER_RESOURCE_CPUS: '0.1',
    MARATHON_CONTAINER_RESOURCE_GPUS: '0',
    ...{ ENDPOINT_HTTP: '80', EP_HOST_HTTP: '31000', EP_CONTAINER_HTTP: '80' },
  });
});

t.test('in host mode an endpoint is its host port', async (t) => {
  const { web } = specs({}, { networks: [{ mode: 'host' }] });
  t.match(web.env, { HOST: 'one', ENDPOINT_HTTP: '31000', EP_HOST_HTTP: '31000' });
});

t.test('a command is for a shell, for the image’s entry point, or takes its place', async (t) => {
  const image = { id: 'shop/side:2', forcePull: false, labels: {} };
  const argv = { argv: ['serve', '-v'] };
  t.same(specs().side.command, { kind: 'argv', argv: ['/bin/sh', '-c', 'serve side'] });
  t.same(specs({ exec: { command: argv } }).side.command, { kind: 'argv', argv: ['serve', '-v'] });
  t.same(specs({ exec: { command: argv }, image }).side.command, {
    kind: 'entrypoint',
    args: ['serve', '-v'],
  });
  t.same(specs({ exec: { command: argv, overrideEntrypoint: true }, image }).side.command, {
    kind: 'argv',
    argv: ['serve', '-v'],
  });
});

t.test('a container that needs a secret is not started without it', async (t) => {
  t.throws(() => specs({ environment: { PW: { secret: 'pw' } } }), SecretMissing);
});
