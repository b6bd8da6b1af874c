import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { becomes } from '../lab/processes.ts';
import { openHost } from './host.ts';
import { startLoad } from './load.ts';
import { containerThings, differences, environmentOf, processesOfTask, traces } from './machine.ts';
import {
  dig,
  examplePod,
  idsOf,
  namespaceOf,
  type PodStatus,
  podLog,
  podServes,
  podUntil,
  processesOfPod,
} from './pod-api.ts';
import { down, program, startProduct } from './product.ts';
import { get } from './web-app.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

t.test('a pod’s containers live together: one network, shared volumes, one life', { skip }, async (t) => {
  const host = await openHost(t, 'pod');
  const before = await traces(host);
  let product = await startProduct(host);
  await product.api.must('POST', '/v2/pods', examplePod());
  let pod = await podServes(product.api, '/pair', 2);
  const addresses = pod.instances.flatMap(({ networks }) => networks.flatMap((one) => one.addresses));

  await t.test('one serves on a port, the other reads it at 127.0.0.1 and wrote what it reads', async (t) => {
    for (const { id } of pod.instances) {
      const own = `page \\d+ of instance-pair.${id.slice('pair.instance-'.length)}`;
      const reads = async () => (await podLog(product.api, id, 'writer')).some((line) => line.match(own));
      t.ok(await becomes(reads, 20_000), id);
    }
  });

  await t.test(
    'each instance has one address, one network namespace, and files of each container',
    async (t) => {
      t.match(addresses, [/^100\.64\.0\.\d+$/, /^100\.64\.0\.\d+$/]);
      t.equal(new Set(addresses).size, 2);
      for (const { containers } of pod.instances) {
        const [web = '', writer = ''] = containers.map(({ containerId }) => containerId);
        t.equal(namespaceOf(web, 'net'), namespaceOf(writer, 'net'));
        t.not(namespaceOf(web, 'mnt'), namespaceOf(writer, 'mnt'));
        t.not(namespaceOf(web, 'pid'), namespaceOf(writer, 'pid'));
      }
      const networks = pod.instances.map(({ containers }) =>
        namespaceOf(containers[0]?.containerId ?? '', 'net'),
      );
      t.equal(new Set(networks).size, 2, 'instances do not share one');
    },
  );

  await t.test('programs are told of the pod, their container and every endpoint', async (t) => {
    const [instance] = pod.instances;
    const id = instance?.containers[1]?.containerId ?? '';
    const found = Object.fromEntries(environmentOf(processesOfTask(id)[0] ?? 0));
    t.match(found, {
      MESOS_TASK_ID: id,
      MARATHON_APP_ID: '/pair',
      MARATHON_CONTAINER_ID: 'writer',
      MARATHON_CONTAINER_RESOURCE_MEM: '32.0',
      MARATHON_APP_LABEL_ABOUT: /^one container/,
      ENDPOINT_HTTP: '8080',
      EP_CONTAINER_HTTP: '8080',
    });
    t.notOk('EP_HOST_HTTP' in found, 'it has no host port');
  });

  await t.test('it has names and virtual addresses like an app', async (t) => {
    t.same(await dig(host, 'pair.marathon.mesos'), addresses.toSorted());
    t.match(await dig(host, '_http._pair._tcp.marathon.mesos', 'SRV'), [
      /^0 1 8080 pair-/,
      /^0 1 8080 pair-/,
    ]);
    const [named] = await dig(host, 'pair.marathon.l4lb.thisdcos.directory');
    const [own] = await dig(host, 'pair.weir');
    t.match(await get(host, `http://${named}/`), /^page \d+ of instance-pair\./);
    t.match(await get(host, `http://${own}:8080/`), /^page \d+ of instance-pair\./);
  });

  await t.test('kill -9 of Weir leaves it as it is, and the next one adopts it', async (t) => {
    const processes = processesOfPod(pod);
    t.equal(processes.size, 4);
    await product.end('SIGKILL');
    product = await startProduct(host);
    pod = await podServes(product.api, '/pair', 2);
    t.same(processesOfPod(pod), processes);
  });

  await t.test(
    'when one container fails all of its instance ends, is replaced, and that is said',
    async (t) => {
      const [victim, other] = pod.instances;
      const [web = '', writer = ''] = victim?.containers.map(({ containerId }) => containerId) ?? [];
      process.kill(processesOfTask(writer)[0] ?? -1, 'SIGKILL');
      const replaced = ({ instances }: PodStatus) => !instances.some(({ id }) => id === victim?.id);
      await podUntil(
        product.api,
        '/pair',
        (status) => status.terminationHistory.length > 0 && replaced(status),
      );
      pod = await podServes(product.api, '/pair', 2);
      t.match(pod.terminationHistory, [
        {
          instanceID: victim?.id,
          message: 'container writer: ended by SIGKILL',
          containers: [
            { containerId: web, lastKnownState: 'TASK_KILLED' },
            { containerId: writer, lastKnownState: 'TASK_FAILED' },
          ],
        },
      ]);
      t.same(processesOfTask(web), []);
      t.ok(idsOf(pod).includes(other?.id ?? ''), 'the other instance is untouched');
    },
  );

  await t.test('another version replaces every instance, and no request is lost', async (t) => {
    const old = pod;
    const [vip] = await dig(host, 'pair.marathon.l4lb.thisdcos.directory');
    const load = startLoad(host, { name: 'VIP', url: `http://${vip}/` }, { perSecond: 20 });
    await product.api.must('PUT', '/v2/pods/pair', { ...examplePod(), labels: { version: 'two' } });
    pod = await podServes(product.api, '/pair', 2);
    t.same(
      idsOf(pod).filter((id) => idsOf(old).includes(id)),
      [],
    );
    const gone = () => [...processesOfPod(old).values()].flat().length === 0;
    t.ok(await becomes(async () => gone(), 10_000), 'nothing of the old ones runs');
    const { failures, sent } = await load.stop();
    t.same(failures, [], `no request of ${sent} failed`);
  });

  await t.test('deleted, it leaves nothing', async (t) => {
    const things = await containerThings(host.netns);
    t.equal((await product.api.call('DELETE', '/v2/pods/pair')).status, 202);
    const gone = async () => (await product.api.call('GET', '/v2/pods/pair::status')).status === 404;
    t.ok(await becomes(gone, 20_000));
    t.same([...processesOfPod(pod).values()].flat(), []);
    t.same(await host.shell('ls data/volumes', { cwd: host.dir }), '');
    t.same(await product.end('SIGINT'), { exitCode: 0, signal: null });
    t.match(await down(host), { exitCode: 0 });
    t.same(things.filter(existsSync), [], 'no namespace or control group is left');
    t.same(await differences(before, () => traces(host)), []);
  });
});

t.test('a container that finishes leaves the others running, until all have', { skip }, async (t) => {
  const host = await openHost(t, 'job');
  const { api } = await startProduct(host);
  const container = (name: string, shell: string, rest: object = {}) => ({
    ...{ name, exec: { command: { shell } }, resources: { cpus: 0.05, mem: 32 } },
    ...rest,
  });
  const init = container('init', 'test "$EP_HOST_MAIN" -gt 0 && echo ready >shared/word', {
    volumeMounts: [{ name: 'words', mountPath: 'shared' }],
  });
  const main = container('main', 'until test -e in/word; do sleep 0.1; done; cat in/word; exec sleep 300', {
    volumeMounts: [{ name: 'words', mountPath: 'in' }],
    endpoints: [{ name: 'main' }],
    healthCheck: {
      exec: { command: { shell: 'test -e in/word' } },
      ...{ delaySeconds: 0, intervalSeconds: 2, timeoutSeconds: 1 },
    },
  });
  await api.must('POST', '/v2/pods', { id: '/init', containers: [init, main], volumes: [{ name: 'words' }] });
  const finished = ({ instances }: PodStatus) => instances[0]?.containers[0]?.status === 'TASK_FINISHED';
  await podUntil(api, '/init', finished);
  const pod = await podServes(api, '/init', 1);
  t.match(pod.instances[0], {
    status: 'STABLE',
    containers: [
      { name: 'init', status: 'TASK_FINISHED', termination: { exitCode: 0 } },
      {
        ...{ name: 'main', status: 'TASK_RUNNING', conditions: [{ value: 'true' }] },
        endpoints: [{ name: 'main', allocatedHostPort: Number }],
      },
    ],
  });
  t.same(await podLog(api, pod.instances[0]?.id ?? '', 'main'), ['ready']);

  await api.must('POST', '/v2/pods', {
    id: '/jobs',
    containers: [container('a', 'exit 0'), container('b', 'exit 0')],
    scheduling: { backoff: { backoff: 300 } },
  });
  const ended = await podUntil(api, '/jobs', ({ instances }) => instances.length === 0).catch(
    () => undefined,
  );
  t.ok(ended, 'an instance of which all have finished is over');
  const queue = async () =>
    (await api.must<{ queue: readonly { pod?: { id: string }; delay: object }[] }>('GET', '/v2/queue')).queue;
  t.ok(await becomes(async () => (await queue()).length === 1, 10_000));
  t.match(await queue(), [{ pod: { id: '/jobs' }, delay: { overdue: false } }]);
});

t.test('a pod that cannot start says which container, and why', { skip }, async (t) => {
  const host = await openHost(t, 'bad');
  const { api } = await startProduct(host);
  const fine = {
    ...{ name: 'fine', exec: { command: { shell: 'exec sleep 300' } } },
    resources: { cpus: 0.05, mem: 32 },
  };
  const bad = { ...fine, name: 'bad', exec: { command: { argv: ['/no/such/program'] } } };
  await api.must('POST', '/v2/pods', { id: '/bad', containers: [fine, bad] });
  const { terminationHistory } = await podUntil(api, '/bad', (pod) => pod.terminationHistory.length > 0);
  t.match(terminationHistory[0]?.message, /\.bad: .*\/no\/such\/program/);

  await api.must('POST', '/v2/pods', {
    id: '/large',
    containers: [{ ...fine, resources: { cpus: 900, mem: 32 } }],
  });
  type Why = { readonly waits: readonly { readonly detail: string }[] };
  const why = async () => (await api.must<Why>('GET', '/v1/why/large')).waits.map(({ detail }) => detail);
  const isSaid = async () => (await why()).some((detail) => /it had 900\.1 cpus/.test(detail));
  t.ok(await becomes(isSaid, 10_000), 'the sum of its containers and the executor has no room');
});

t.test('pods are added, changed and removed by the command line', { skip }, async (t) => {
  const host = await openHost(t, 'podcli');
  const { api } = await startProduct(host);
  const file = join(host.dir, 'pod.json');
  const write = (seconds: number) =>
    writeFileSync(
      file,
      JSON.stringify({
        id: '/two',
        containers: ['one', 'other'].map((name) => ({
          ...{ name, exec: { command: { shell: `exec sleep ${seconds}` } } },
          resources: { cpus: 0.05, mem: 32 },
        })),
      }),
    );
  const weir = (...argv: readonly string[]) => host.exec([program, 'pod', ...argv]);

  write(300);
  t.match(await weir('add', file), { exitCode: 0, stdout: '/two is deployed: 1/1 stable' });
  t.match(await weir('add', file), { exitCode: 1, stderr: /already exists/ });
  t.match(await weir('scale', 'two', '2'), { exitCode: 0, stdout: '/two is scaled: 2/2 stable' });
  const before = idsOf(await podServes(api, '/two', 2));
  write(301);
  const updated = await weir('update', '/two', file);
  t.match(updated, { exitCode: 0, stdout: '/two is updated: 1/1 stable' });
  const [after = ''] = idsOf(await podServes(api, '/two', 1));
  t.notOk(before.includes(after), 'the file says 1 instance, and another command');
  t.match(await weir('rm', 'two'), { exitCode: 0, stdout: '/two is removed' });
  t.match(await weir('rm', 'two'), { exitCode: 1, stderr: /does not exist/ });
});
