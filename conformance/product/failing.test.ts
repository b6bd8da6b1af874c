import t from 'tap';
import { becomes } from '../lab/processes.ts';
import type { AppInfo } from './api.ts';
import { type Definition, script, webServer } from './definitions.ts';
import { openHost } from './host.ts';
import { differences, traces } from './machine.ts';
import { dataOf, program, startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

type Misfortune = {
  readonly what: string;
  readonly definition: Definition;
  /** What `lastTaskFailure` says. */
  readonly says: RegExp;
};

type Queue = {
  readonly queue: readonly {
    readonly app: { readonly id: string };
    readonly delay: { readonly timeLeftSeconds: number };
  }[];
};

/** Networks that an app below is put on: one with a plugin that fails, one whose plugin is missing, one with a single address. */
const networks = [
  {
    name: 'refusing',
    cidr: '100.65.0.0/24',
    plugins: [{ type: 'tuning', sysctl: { 'net.ipv4.no_such_thing': '1' } }],
  },
  { name: 'lacking', cidr: '100.65.1.0/24', plugins: [{ type: 'weir-no-such-plugin' }] },
  { name: 'tiny', cidr: '100.65.2.0/29', agentPrefix: 30 },
];

const misfortunes: readonly Misfortune[] = [
  { what: 'a program that fails', definition: app('/exits', { cmd: 'echo bye; exit 3' }), says: /\b3\b/ },
  {
    what: 'a program that is not there',
    definition: app('/nothing', { args: ['/no/such/program'] }),
    says: /\/no\/such\/program/,
  },
  {
    what: 'a user that is not there',
    definition: app('/user', { cmd: 'sleep 100', user: 'nobody-like-that' }),
    says: /nobody-like-that/,
  },
  {
    what: 'a folder that is not there',
    definition: app('/volume', {
      cmd: 'sleep 100',
      container: {
        type: 'MESOS',
        volumes: [{ containerPath: '/mnt/x', hostPath: '/no/such/folder', mode: 'RO' }],
      },
    }),
    says: /\/no\/such\/folder/,
  },
  {
    what: 'an image that is not there',
    definition: app('/image', {
      cmd: 'sleep 100',
      container: { type: 'DOCKER', docker: { image: '127.0.0.1:1/no/such:image' } },
    }),
    says: /127\.0\.0\.1:1\/no\/such:image.*refused/s,
  },
  {
    what: 'more memory than allowed',
    definition: app('/hog', { cmd: `perl -e '$x = "x" x (300 * 1024 * 1024); sleep 100'`, mem: 16 }),
    says: /memory/i,
  },
  {
    what: 'a plugin that fails',
    definition: script('/refused', [], { networks: [{ mode: 'container', name: 'refusing' }] }),
    says: /no_such_thing/,
  },
  {
    what: 'a plugin that is not there',
    definition: script('/lacked', [], { networks: [{ mode: 'container', name: 'lacking' }] }),
    says: /weir-no-such-plugin/,
  },
];

const crowd = script('/crowd', [], { networks: [{ mode: 'container', name: 'tiny' }], instances: 2 });

t.test('what fails says why, is tried again, and leaves nothing', { skip }, async (t) => {
  const host = await openHost(t, 'failing');
  const { api } = await startProduct(host);
  await api.deploy(webServer('/fine', { instances: 1 }));
  await api.remove('/fine');
  const before = await state();
  for (const network of networks)
    await api.must('POST', '/v1/networks', { agentPrefix: 28, backend: 'host-gw', ...network });

  for (const { definition } of misfortunes) await api.must('POST', '/v2/apps', definition);
  for (const { what, definition, says } of misfortunes) {
    const { lastTaskFailure } = await failed(definition.id);
    t.match(lastTaskFailure, { state: 'TASK_FAILED', message: says }, what);
    t.comment(`${what}: ${lastTaskFailure?.message}`);
  }

  await t.test('an instance for which there is no address waits, and the queue says so', async (t) => {
    await api.must('POST', '/v2/apps', crowd);
    await api.until('/crowd', ({ tasksRunning }) => tasksRunning === 1);
    const waits = await api.must<{ waits: { detail: string }[] }>('GET', '/v1/why/crowd');
    t.match(waits.waits[0]?.detail, /no address of network tiny left, 1 of 1 are in use/);
    const { queue } = await api.must<Queue>('GET', '/v2/queue');
    t.match(
      queue.find((item) => item.app.id === '/crowd'),
      { count: 1 },
    );
  });

  await t.test('and what does not fail beside it goes on', async (t) => {
    t.match(await api.deploy(script('/fine', [])), { tasksRunning: 1 });
  });

  await t.test('what a failed task wrote last is kept, also when its id is long', async (t) => {
    const id = '/a-company/with-many-departments/has-a-service/that-says-why-it-ends';
    await api.must(
      'POST',
      '/v2/apps',
      app(id, { cmd: 'echo connecting; echo no database >&2; exit 5', backoffSeconds: 30 }),
    );
    const { lastTaskFailure } = await failed(id);
    const wrote = /^connecting$/;
    t.match(await host.exec([program, 'task', 'log', '--failed', id]), {
      stdout: wrote,
      stderr: /no database/,
    });
    const followed = await host.exec([program, 'task', 'log', '--follow', lastTaskFailure?.taskId ?? '']);
    t.match(followed, { exitCode: 0, stdout: wrote }, 'to follow it ends with it');
    t.match((await host.exec([program, 'why', id])).stdout, `weir task log --failed ${id}`);
    await api.remove(id);
    const asked = await host.exec([program, 'task', 'log', lastTaskFailure?.taskId ?? '']);
    t.match(asked, { stdout: wrote }, 'and when its app is gone');
  });

  await t.test('the delay before the next attempt grows', async (t) => {
    await api.must('POST', '/v2/apps', app('/again', { cmd: 'exit 4' }));
    const seen: number[] = [];
    const grows = await becomes(async () => {
      const { queue } = await api.must<Queue>('GET', '/v2/queue');
      const left = queue.find((item) => item.app.id === '/again')?.delay.timeLeftSeconds ?? 0;
      if (left > 0) seen.push(left);
      return left >= 3;
    }, 30_000);
    t.ok(grows, 'from 1 s by 2 s to 4 s');
    t.ok((seen[0] ?? 0) < 3, `${[...new Set(seen)].join(', ')} s`);
  });

  for (const { definition } of [
    ...misfortunes,
    { definition: crowd },
    { definition: { id: '/fine' } },
    { definition: { id: '/again' } },
  ])
    await api.remove(definition.id);
  for (const { name } of networks) await api.must('DELETE', `/v1/networks/${name}`);
  t.same(await differences(before, state), [], 'nothing is left');

  async function state(): Promise<readonly string[]> {
    return [...(await traces(host)), ...(await files())];
  }

  function failed(id: string): Promise<AppInfo> {
    return api.until(id, (app) => app.lastTaskFailure !== undefined);
  }

  /** What the agent keeps, without the store, logs and layers of images. */
  async function files(): Promise<readonly string[]> {
    const kept = ['instances', 'containers', 'exits', 'cni', 'ipam', 'runc'];
    return (await host.shell(`cd ${dataOf(host)} && find ${kept.join(' ')}`)).split('\n').toSorted();
  }
});

function app(id: string, more: object): Definition {
  return { id, cpus: 0.01, mem: 32, backoffSeconds: 1, backoffFactor: 2, ...more };
}
