import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { becomes } from '../lab/processes.ts';
import { healthCheck, script, webServer } from '../product/definitions.ts';
import { openHost } from '../product/host.ts';
import { startProduct } from '../product/product.ts';
import { get } from '../product/web-app.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
// On a busy machine.
t.setTimeout(300_000);

type Deployment = {
  readonly id: string;
  readonly currentActions: readonly {
    readonly readinessCheckResults: readonly { readonly lastResponse?: { readonly status: number } }[];
  }[];
};

/** Answers 200 while its file in `/notes/well` is there, then 500, and notes each 500 in `/notes/asked-TASK`. */
const asked = `exec perl -MIO::Socket::INET -e '
$s = IO::Socket::INET->new(LocalPort => $ENV{PORT0}, Listen => 16, ReuseAddr => 1) or die $!;
while ($c = $s->accept) {
  while (<$c>) { last if /^\\r?$/ }
  $is = -e "/notes/well$ENV{MARATHON_APP_ID}" ? "200 OK" : "500 Sick";
  if ($is =~ /500/) { open $n, ">>", "/notes/asked-$ENV{MESOS_TASK_ID}"; print $n "."; close $n }
  print $c "HTTP/1.1 $is\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n";
  close $c
}'`;

t.test('instances, their health, ports and addresses', { skip }, async (t) => {
  const host = await openHost(t, 'clinst');
  const { api } = await startProduct(host);
  const notes = join(host.dir, 'notes');
  mkdirSync(join(notes, 'well'), { recursive: true });

  await t.test(
    'checklist 11: at the failure after so many an instance is ended, never with 0, not in its grace',
    async (t) => {
      for (const name of ['ended', 'kept']) writeFileSync(join(notes, 'well', name), '');
      await api.must('POST', '/v2/apps', checked('/ended', { maxConsecutiveFailures: 2 }));
      await api.must('POST', '/v2/apps', checked('/kept', { maxConsecutiveFailures: 0 }));
      await api.must(
        'POST',
        '/v2/apps',
        checked('/graced', { maxConsecutiveFailures: 1, gracePeriodSeconds: 3 }),
      );
      await api.until('/graced', ({ tasksRunning }) => tasksRunning === 1);
      const startedAt = (await api.tasks('/graced'))[0]?.startedAt;
      for (const id of ['/ended', '/kept']) await api.until(id, ({ tasksHealthy }) => tasksHealthy === 1);
      for (const name of ['ended', 'kept']) rmSync(join(notes, 'well', name));
      const { lastTaskFailure } = await api.until('/ended', (app) => app.lastTaskFailure !== undefined);
      t.equal(questions(lastTaskFailure?.taskId ?? ''), 3, 'at the third failure for a limit of two');
      t.match(lastTaskFailure, {
        state: 'TASK_KILLED',
        message: /^Task was killed since health check failed\. Reason: .*500/,
      });
      await api.until('/ended', async () =>
        (await api.tasks('/ended')).some(({ id }) => id !== lastTaskFailure?.taskId),
      );

      const [kept] = await api.tasks('/kept');
      t.ok(await becomes(async () => questions(kept?.id ?? '') >= 5, 15_000));
      t.match(await api.tasks('/kept'), [{ id: kept?.id, healthCheckResults: [{ alive: false }] }]);

      const { lastTaskFailure: graced } = await api.until(
        '/graced',
        (app) => app.lastTaskFailure !== undefined,
      );
      const lived = Date.parse(graced?.timestamp ?? '') - Date.parse(startedAt ?? '');
      t.ok(lived > 3_000, `ended after ${lived} ms`);
      for (const id of ['/ended', '/kept', '/graced']) await api.remove(id);
    },
  );

  await t.test('checklist 12: a deployment waits until its instances say that they are ready', async (t) => {
    const definition = checked('/warming', { maxConsecutiveFailures: 0 });
    await api.must('POST', '/v2/apps', {
      ...definition,
      container: named(definition.container),
      healthChecks: [],
      readinessChecks: [
        { portName: 'http', path: '/', intervalSeconds: 2, timeoutSeconds: 1, preserveLastResponse: true },
      ],
    });
    const [waiting] = await api.eventually<readonly Deployment[]>('/v2/deployments', (all) =>
      all.some(
        ({ currentActions }) => currentActions[0]?.readinessCheckResults[0]?.lastResponse?.status === 500,
      ),
    );
    const [task] = await api.tasks('/warming');
    t.match(waiting?.currentActions, [
      {
        action: 'ScaleApplication',
        app: '/warming',
        readinessCheckResults: [
          {
            name: 'readinessCheck',
            taskId: task?.id.replace(/\._app\.1$/, ''),
            ready: false,
            lastResponse: { status: 500 },
          },
        ],
      },
    ]);
    t.match(await api.app('/warming'), { tasksRunning: 1, deployments: [{ id: waiting?.id }] });
    writeFileSync(join(notes, 'well', 'warming'), '');
    t.match(await api.settled('/warming'), { tasksRunning: 1, deployments: [] });
    await api.remove('/warming');
  });

  await t.test('checklist 15: ports, as an instance and its readers see them', async (t) => {
    const mapped = await environment('/mapped', {
      networks: [{ mode: 'container/bridge' }],
      container: {
        type: 'MESOS',
        portMappings: [
          { containerPort: 8080, name: 'http', hostPort: 31_900 },
          { containerPort: 0, hostPort: 0, name: 'admin' },
        ],
      },
    });
    const [task] = await api.tasks('/mapped');
    const [first, second] = task?.ports ?? [];
    t.equal(first, 31_900);
    t.ok(second !== undefined && second >= 31_000 && second <= 32_000);
    t.match(mapped, {
      ...{ PORT0: '31900', PORT_8080: '31900', PORT_HTTP: '31900' },
      ...{ PORT1: `${second}`, [`PORT_${second}`]: `${second}`, PORT_ADMIN: `${second}` },
      ...{ PORT: '31900', PORTS: `31900,${second}` },
    });

    const inside = await environment('/inside', {
      networks: [{ mode: 'container', name: 'weir' }],
      container: {
        type: 'MESOS',
        portMappings: [
          { containerPort: 8080, name: 'http' },
          { containerPort: 0, hostPort: 0, name: 'admin' },
        ],
      },
    });
    const [drawn] = (await api.tasks('/inside'))[0]?.ports ?? [];
    t.match(
      inside,
      {
        ...{ PORT0: '8080', PORT_8080: '8080', PORT_HTTP: '8080' },
        ...{ PORT1: `${drawn}`, [`PORT_${drawn}`]: `${drawn}`, PORT_ADMIN: `${drawn}` },
        ...{ PORT: `${drawn}`, PORTS: `${drawn}` },
      },
      'the example of §12',
    );

    const none = await environment('/none', {
      networks: [{ mode: 'container', name: 'weir' }],
      container: { type: 'MESOS', portMappings: [{ containerPort: 0, name: 'own' }] },
    });
    t.match(await api.tasks('/none'), [{ ports: [] }], 'without a host port');
    t.ok(Number(none['PORT0']) >= 1_025);
    t.equal(none['PORTS'], none['PORT0']);

    // One of these may have been given the port that is asked for next.
    for (const id of ['/mapped', '/inside', '/none']) await api.remove(id);
    const required = await environment('/required', {
      requirePorts: true,
      portDefinitions: [{ port: 31_901, protocol: 'udp,tcp', name: 'both' }],
    });
    t.match(required, { PORT0: '31901', PORT_BOTH: '31901', PORTS: '31901' });
    const { app } = await api.must<{ app: object }>('GET', '/v2/apps/required');
    t.match(app, {
      requirePorts: true,
      portDefinitions: [{ port: 31_901, protocol: 'udp,tcp', name: 'both' }],
    });
    await api.remove('/required');
  });

  await t.test(
    'checklist 16: a VIP by name, without those that are unhealthy, shared by two apps',
    async (t) => {
      const well = webServer('/blue', { instances: 1, greeting: 'blue', vip: '/shared:80' });
      const green = webServer('/green', { instances: 1, greeting: 'green', vip: 'shared:80' });
      await api.deploy(well);
      await api.deploy(green);
      await api.until('/green', ({ tasksHealthy }) => tasksHealthy === 1);
      await api.until('/blue', ({ tasksHealthy }) => tasksHealthy === 1);
      await api.spread();
      const name = 'shared.marathon.l4lb.thisdcos.directory';
      const { stdout } = await host.exec(['dig', '@127.0.0.1', '-p', '10053', '+short', name]);
      t.match(stdout, /^100\.100\.\d+\.\d+$/);
      const colours = async (times: number) => {
        const seen = new Set<string>();
        for (let n = 0; n < times; n++)
          seen.add((await get(host, `http://${stdout}:80/`)).split(' ')[1] ?? '');
        return [...seen].toSorted();
      };
      t.same(await colours(40), ['blue', 'green'], 'both apps answer');

      const sick = {
        ...healthCheck,
        protocol: 'COMMAND',
        command: { value: 'false' },
        gracePeriodSeconds: 0,
      };
      await api.must('PUT', '/v2/apps/green', {
        healthChecks: [{ ...sick, path: undefined, portIndex: undefined, maxConsecutiveFailures: 0 }],
        upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 },
      });
      await api.until(
        '/green',
        ({ tasksUnhealthy, tasksHealthy }) => tasksUnhealthy === 1 && tasksHealthy === 0,
      );
      await api.spread();
      t.same(await colours(40), ['blue'], 'an unhealthy one gets nothing');
      for (const id of ['/blue', '/green']) await api.remove(id);
    },
  );

  function checked(id: string, check: object): ReturnType<typeof script> {
    return script(id, [asked], {
      container: {
        type: 'MESOS',
        portMappings: [{ containerPort: 9_000 }],
        volumes: [{ hostPath: notes, containerPath: '/notes', mode: 'RW' }],
      },
      healthChecks: [
        {
          protocol: 'HTTP',
          path: '/',
          gracePeriodSeconds: 0,
          intervalSeconds: 1,
          timeoutSeconds: 1,
          ...check,
        },
      ],
    });
  }

  function named(container: unknown): object {
    return { ...Object(container), portMappings: [{ containerPort: 9_000, name: 'http' }] };
  }

  function questions(task: string): number {
    return readFileSync(join(notes, `asked-${task}`), 'utf8').length;
  }

  async function environment(id: string, more: object): Promise<Readonly<Record<string, string>>> {
    await api.deploy({ id, cmd: 'env; echo done; exec sleep 100000', cpus: 0.01, mem: 16, ...more });
    const [task] = await api.tasks(id);
    let lines: readonly string[] = [];
    await becomes(async () => {
      lines = await api.log(task?.id ?? '');
      return lines.includes('done');
    }, 15_000);
    return Object.fromEntries(lines.map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]));
  }
});
