import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { becomes } from '../lab/processes.ts';
import { type Definition, script, webServer } from './definitions.ts';
import { openHost } from './host.ts';
import { processesOfTask } from './machine.ts';
import { startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

t.test('a task has what its definition says', { skip }, async (t) => {
  const host = await openHost(t, 'task');
  const { api } = await startProduct(host);

  await t.test('its environment, on a container network', async (t) => {
    const [version, env] = await environment('/env/inside', {
      env: { GREETING: 'hi there', PORT1: 'mine' },
      labels: { 'my.label': 'x' },
      networks: [{ mode: 'container', name: 'weir' }],
      container: { type: 'MESOS', portMappings: [{ containerPort: 80, name: 'http' }, { containerPort: 0 }] },
    });
    t.match(env, {
      GREETING: 'hi there',
      MARATHON_APP_ID: '/env/inside',
      MARATHON_APP_VERSION: version,
      MARATHON_APP_LABEL_MY_LABEL: 'x',
      MARATHON_APP_RESOURCE_CPUS: '0.05',
      MESOS_TASK_ID: /^env_inside\.instance-\S+\._app\.1$/,
      MESOS_SANDBOX: /^\//,
      HOST: /^100\.64\.0\.\d+$/,
      PORT: /^\d+$/,
      PORT0: '80',
      PORT_80: '80',
      PORT_HTTP: '80',
      PORT1: 'mine',
      PATH: /bin/,
    });
    t.equal(env['MESOS_CONTAINER_IP'], env['HOST']);
  });

  await t.test('its environment and ports on the host’s network', async (t) => {
    const [, env] = await environment('/env/outside', {
      networks: [{ mode: 'host' }],
      portDefinitions: [{ port: 0, name: 'a' }, { port: 0 }],
    });
    const [task] = await api.tasks('/env/outside');
    t.match(task?.ports, [Number, Number]);
    t.same([env['PORT0'], env['PORT1']].map(Number), task?.ports);
    t.ok(task?.ports.every((port) => port >= 31_000 && port <= 32_000));
    t.equal(env['HOST'], task?.host);
  });

  await t.test('the very ports it requires, and no other app has them', async (t) => {
    const required = {
      networks: [{ mode: 'host' }],
      container: undefined,
      requirePorts: true,
      portDefinitions: [{ port: 31_500 }],
    };
    await api.deploy(script('/ports/one', [], required));
    t.match(await api.tasks('/ports/one'), [{ ports: [31_500] }]);
    await api.must('POST', '/v2/apps', script('/ports/two', [], required));
    type Queue = {
      queue: readonly {
        app: { id: string };
        processedOffersSummary: { rejectSummaryLastOffers: unknown[] };
      }[];
    };
    const refused = await becomes(async () => {
      const { queue } = await api.must<Queue>('GET', '/v2/queue');
      const reasons = queue.find(({ app }) => app.id === '/ports/two')?.processedOffersSummary;
      return JSON.stringify(reasons ?? {}).includes('"reason":"InsufficientPorts","declined":1');
    }, 10_000);
    t.ok(refused, 'the queue says why it waits');
    t.match(await api.tasks('/ports/two'), { length: 0 });
    await api.remove('/ports/one');
    await api.settled('/ports/two');
    t.match(await api.tasks('/ports/two'), [{ ports: [31_500] }], 'it gets them when they are free');
  });

  await t.test('its volumes, to write or only to read', async (t) => {
    const shared = join(host.dir, 'shared');
    mkdirSync(shared);
    writeFileSync(join(shared, 'in'), 'from outside');
    const volumes = [
      { hostPath: shared, containerPath: '/mnt/rw', mode: 'RW' },
      { hostPath: shared, containerPath: '/mnt/ro', mode: 'RO' },
    ];
    const lines = await output(
      script(
        '/volumes',
        ['cat /mnt/ro/in; echo', 'echo from inside > /mnt/rw/out', 'touch /mnt/ro/x 2>&1 || echo refused'],
        { container: { type: 'MESOS', volumes, portMappings: [] } },
      ),
    );
    t.match(lines, ['from outside', /Read-only file system/, 'refused', 'done']);
    t.equal(readFileSync(join(shared, 'out'), 'utf8'), 'from inside\n');
  });

  await t.test('files and archives that it fetches, before it starts', async (t) => {
    const folder = join(host.dir, 'artifacts');
    mkdirSync(join(folder, 'app'), { recursive: true });
    writeFileSync(join(folder, 'app/data'), 'from the archive\n');
    writeFileSync(join(folder, 'tool'), '#!/bin/sh\necho "a tool of $(id -un)"\n');
    await host.exec(['tar', '-czf', join(folder, 'app.tgz'), '-C', folder, 'app']);
    const lines = await output({
      ...script('/fetches', ['cd "$MESOS_SANDBOX"; cat app/data; ./bin/tool; stat -c %U app/data']),
      user: 'nobody',
      fetch: [
        { uri: join(folder, 'app.tgz') },
        { uri: `file://${folder}/tool`, executable: true, destPath: 'bin/tool' },
      ],
    });
    t.same(lines, ['from the archive', 'a tool of nobody', 'nobody', 'done']);
  });

  await t.test('a failure when a file cannot be fetched', async (t) => {
    const uri = 'http://127.0.0.1:9/none.tgz';
    await api.must('POST', '/v2/apps', { ...script('/unfetched', ['true']), fetch: [{ uri }] });
    const app = await api.until('/unfetched', ({ lastTaskFailure }) => lastTaskFailure !== undefined);
    t.match(app.lastTaskFailure, { state: 'TASK_FAILED', message: /^Cannot fetch http:\/\/127/ });
    await api.must('DELETE', '/v2/apps/unfetched');
  });

  await t.test('a machine of its own: files, host name, processes and network', async (t) => {
    const lines = await output(
      script('/alone', [
        'hostname',
        'touch /usr/weir-was-here && echo written',
        'ls -d /proc/[0-9]* | wc -l',
        'ip -brief -4 address show | cut -c1-4 | tr -d " " | tr "\\n" " "; echo',
      ]),
    );
    t.match(lines, [/^alone-/, 'written', /^\d$/, /^lo eth0/, 'done']);
    t.throws(() => readFileSync('/usr/weir-was-here'), 'what it writes stays there');
  });

  await t.test('its health checks: of a command, of a connection', async (t) => {
    const check = { gracePeriodSeconds: 30, intervalSeconds: 1, timeoutSeconds: 5, delaySeconds: 0 };
    const server = webServer('/checks/tcp', { instances: 1 });
    await api.must('POST', '/v2/apps', {
      ...server,
      healthChecks: [{ ...check, protocol: 'MESOS_TCP', portIndex: 0 }],
    });
    await api.must('POST', '/v2/apps', {
      ...script('/checks/command', ['touch /tmp/ready']),
      healthChecks: [{ ...check, protocol: 'COMMAND', command: { value: 'test -e /tmp/ready' } }],
    });
    await api.must('POST', '/v2/apps', {
      ...webServer('/checks/http', { instances: 1 }),
      healthChecks: [{ ...check, protocol: 'HTTP', path: '/', portIndex: 0 }],
    });
    for (const id of ['/checks/tcp', '/checks/command', '/checks/http'])
      t.match(await api.until(id, ({ tasksHealthy }) => tasksHealthy === 1), { tasksUnhealthy: 0 }, id);
  });

  await t.test('an end when its health check fails, and a successor', async (t) => {
    const check = { gracePeriodSeconds: 0, intervalSeconds: 1, timeoutSeconds: 5, delaySeconds: 0 };
    const definition = {
      ...script('/sick', ['touch /tmp/well']),
      healthChecks: [
        { ...check, protocol: 'COMMAND', command: { value: 'test -e /tmp/well' }, maxConsecutiveFailures: 2 },
      ],
    };
    await api.deploy(definition);
    await api.until('/sick', ({ tasksHealthy }) => tasksHealthy === 1);
    const [task] = await api.tasks('/sick');
    const [pid] = processesOfTask(task?.id ?? '');
    await host.exec(['rm', `/proc/${pid}/root/tmp/well`]);
    const app = await api.until('/sick', ({ lastTaskFailure }) => lastTaskFailure !== undefined);
    t.match(app.lastTaskFailure, { taskId: task?.id, message: /health check failed/ });
    await api.until('/sick', ({ tasksHealthy }) => tasksHealthy === 1);
    t.not((await api.tasks('/sick'))[0]?.id, task?.id);
  });

  await t.test('time to end itself, and no more than that', async (t) => {
    const notes = join(host.dir, 'notes');
    mkdirSync(notes);
    const noted = (id: string, trap: string): Definition =>
      script(id, [`trap '${trap}' TERM`, 'echo ready > /notes/ready', 'while true; do sleep 0.05; done'], {
        taskKillGracePeriodSeconds: 2,
        container: {
          type: 'MESOS',
          volumes: [{ hostPath: notes, containerPath: '/notes', mode: 'RW' }],
          portMappings: [],
        },
      });
    await api.deploy(noted('/polite', 'echo bye > /notes/polite; exit 0'));
    t.ok(
      await becomes(
        async () => (await host.exec(['test', '-e', join(notes, 'ready')])).exitCode === 0,
        10_000,
      ),
    );
    const started = performance.now();
    await api.remove('/polite');
    t.equal(readFileSync(join(notes, 'polite'), 'utf8'), 'bye\n', 'it got SIGTERM');
    t.ok(performance.now() - started < 2_000, 'and its end was noticed at once');

    await host.exec(['rm', join(notes, 'ready')]);
    await api.deploy(noted('/deaf', 'echo no > /notes/deaf'));
    t.ok(
      await becomes(
        async () => (await host.exec(['test', '-e', join(notes, 'ready')])).exitCode === 0,
        10_000,
      ),
    );
    const [task] = await api.tasks('/deaf');
    const asked = performance.now();
    await api.remove('/deaf');
    t.equal(readFileSync(join(notes, 'deaf'), 'utf8'), 'no\n');
    t.ok(performance.now() - asked > 1_900, 'SIGKILL comes when the time is over');
    t.same(processesOfTask(task?.id ?? ''), []);
  });

  /** What a task prints until it is done. */
  async function output(definition: Definition): Promise<readonly string[]> {
    await api.deploy(definition);
    const [task] = await api.tasks(definition.id);
    let lines: readonly string[] = [];
    await becomes(async () => {
      lines = await api.log(task?.id ?? '');
      return lines.includes('done');
    }, 15_000);
    return lines;
  }

  async function environment(
    id: string,
    more: Readonly<Record<string, unknown>>,
  ): Promise<readonly [string, Readonly<Record<string, string>>]> {
    const plain = { id, cmd: 'env; echo done; exec sleep 100000', cpus: 0.05, mem: 32, ...more };
    const lines = await output(plain);
    const pairs = lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
    return [(await api.app(id)).version, Object.fromEntries(pairs)];
  }
});
