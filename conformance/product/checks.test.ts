import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { becomes } from '../lab/processes.ts';
import type { Task } from './api.ts';
import type { Definition } from './definitions.ts';
import { openHost } from './host.ts';
import { processesOfTask } from './machine.ts';
import { startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

/**
 * Answers every request with the status in its file `status`, else 503, and notes what was asked for on the host. Who connects and
 * asks nothing (an agent that looks whether it takes connections again) is not noted.
 */
const server = `touch /tmp/status; exec perl -MIO::Socket::INET -e '
$s = IO::Socket::INET->new(LocalAddr => "0.0.0.0", LocalPort => $ENV{PORT0}, Listen => 64, ReuseAddr => 1) or die;
while (1) {
  $c = $s->accept or next;
  $asked = <$c>; defined $asked or next; while (<$c>) { last if /^\\r?$/ }
  open(F, "<", "/tmp/status"); $status = <F>; close F; chomp $status; $status ||= 503;
  open(L, ">>", $ENV{ASKED} || "/dev/null"); print L "$ENV{MESOS_TASK_ID} asked $asked"; close L;
  print $c "HTTP/1.1 $status X\\r\\nContent-Type: text/plain\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\nhm\\r\\n";
  close $c
}'`;

type Deployment = {
  readonly affectedApps: readonly string[];
  readonly currentActions: readonly { readonly readinessCheckResults: readonly unknown[] }[];
};

t.test('checks of all kinds, from outside', { skip }, async (t) => {
  const host = await openHost(t, 'checks');
  const { api } = await startProduct(host);

  const app = (id: string, more: object): Definition => ({
    ...{ id, cmd: server, cpus: 0.05, mem: 64, env: { ASKED: '/host/asked' } },
    networks: [{ mode: 'container', name: 'weir' }],
    container: {
      type: 'MESOS',
      portMappings: [{ containerPort: 9000, name: 'web' }],
      volumes: [{ containerPath: '/host', hostPath: host.dir, mode: 'RW' }],
    },
    ...more,
  });
  const tell = async (task: Task | undefined, status: string) => {
    const [pid] = processesOfTask(task?.id ?? '');
    await host.exec(['sh', '-c', `echo ${status} > /proc/${pid}/root/tmp/status`]);
  };
  /** How often a path was asked for: of a task, or of all of them. */
  const asked = (path: string, task = '') =>
    readFileSync(join(host.dir, 'asked'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith(task) && line.includes(` asked GET ${path} `)).length;
  const post = (definition: Definition) => api.must('POST', '/v2/apps', definition);
  const deploymentOf = async (id: string) =>
    (await api.must<readonly Deployment[]>('GET', '/v2/deployments')).find(({ affectedApps }) =>
      affectedApps.includes(id),
    );

  await t.test('a deployment waits until the app says it is ready, and asks no more', async (t) => {
    const check = { name: 'warm', path: '/ready', portName: 'web', intervalSeconds: 2, timeoutSeconds: 1 };
    await post(app('/warming', { readinessChecks: [{ ...check, preserveLastResponse: true }] }));
    const { tasks } = await api.until('/warming', ({ tasksRunning }) => tasksRunning === 1);
    const results = async () =>
      (await deploymentOf('/warming'))?.currentActions[0]?.readinessCheckResults ?? [];
    const answered = async () => JSON.stringify(await results()).includes('503');
    t.ok(await becomes(answered, 10_000), 'the results are shown in the deployment');
    t.match(await results(), [
      { name: 'warm', ready: false, lastResponse: { status: 503, contentType: 'text/plain', body: /hm/ } },
    ]);
    await tell(tasks[0], '200');
    await api.until('/warming', ({ deployments }) => deployments.length === 0);
    const count = asked('/ready');
    t.ok(count >= 2);
    await api.deploy(app('/meanwhile', { readinessChecks: [] }));
    t.equal(asked('/ready'), count);
  });

  await t.test('a scheduler’s check ends a task at the failure after its maximum', async (t) => {
    const check = { protocol: 'HTTP', path: '/ill', gracePeriodSeconds: 0, intervalSeconds: 1 };
    await post(app('/ill', { healthChecks: [{ ...check, maxConsecutiveFailures: 2 }] }));
    const { tasks } = await api.until('/ill', ({ tasksRunning }) => tasksRunning === 1);
    const { lastTaskFailure } = await api.until('/ill', (info) => info.lastTaskFailure !== undefined);
    t.match(lastTaskFailure, {
      taskId: tasks[0]?.id,
      state: 'TASK_KILLED',
      message: 'Task was killed since health check failed. Reason: HTTP status 503',
    });
    // The very first may find nobody listening yet, which counts too.
    const times = asked('/ill', tasks[0]?.id);
    t.ok([2, 3].includes(times), `${times} times`);
    await api.until('/ill', (info) => info.tasks.length === 1 && info.tasks[0]?.id !== tasks[0]?.id);
    await api.must('DELETE', '/v2/apps/ill?force=true');
  });

  await t.test('a maximum of 0 ends nothing', async (t) => {
    const check = { protocol: 'MESOS_HTTP', path: '/well', gracePeriodSeconds: 0, intervalSeconds: 1 };
    const healthChecks = [{ ...check, delaySeconds: 0, maxConsecutiveFailures: 0 }];
    await post(app('/left', { healthChecks }));
    const { tasks } = await api.until('/left', ({ tasksUnhealthy }) => tasksUnhealthy === 1);
    t.ok(await becomes(async () => asked('/well') >= 5, 15_000));
    t.equal((await api.tasks('/left'))[0]?.id, tasks[0]?.id);
    await tell(tasks[0], '302');
    await api.until('/left', ({ tasksHealthy }) => tasksHealthy === 1);
  });

  await t.test('a general check is shown with its task', async (t) => {
    const timing = { intervalSeconds: 1, delaySeconds: 0 };
    const result = async (id: string) =>
      ((await api.tasks(id))[0] as { checkResult?: unknown } | undefined)?.checkResult;
    const checks = {
      '/seen/http': [{ http: { portIndex: 0, path: '/' } }, { http: { statusCode: 503 } }],
      '/seen/tcp': [{ tcp: { portIndex: 0 } }, { tcp: { succeeded: true } }],
      '/seen/exec': [{ exec: { command: { shell: 'exit 7' } } }, { command: { exitCode: 7 } }],
    } as const;
    for (const [id, [check, seen]] of Object.entries(checks)) {
      await post(app(id, { check: { ...check, ...timing } }));
      await becomes(async () => JSON.stringify(await result(id)) === JSON.stringify(seen), 10_000);
      t.same(await result(id), seen, id);
    }
  });
});
