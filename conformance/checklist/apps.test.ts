import t from 'tap';
import type { AppInfo } from '../product/api.ts';
import { type Event, openEvents, upTo } from '../product/event-stream.ts';
import { openHost } from '../product/host.ts';
import { startProduct } from '../product/product.ts';
import { big, sleeper } from './sleeper.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

type Accepted = { readonly version: string; readonly deploymentId: string };
type Steps = readonly { readonly actions: readonly { readonly action: string; readonly app: string }[] }[];

t.test('apps and deployments over HTTP', { skip }, async (t) => {
  const host = await openHost(t, 'clapps');
  const { api } = await startProduct(host);

  await t.test('checklist 1: a minimal app, its defaults and its service port', async (t) => {
    const created = await api.call('POST', '/v2/apps', { id: 'one', cmd: 'exec sleep 100000' });
    t.equal(created.status, 201);
    const { deployments, version, ...definition } = created.body as AppInfo;
    t.match(created.headers, {
      location: 'http://127.0.0.1:8080/v2/apps/one',
      'marathon-deployment-id': deployments[0]?.id,
      'content-type': /^application\/json/,
      'cache-control': 'no-cache, no-store, must-revalidate',
      pragma: 'no-cache',
      expires: '0',
      'x-frame-options': 'DENY',
      'x-xss-protection': '1; mode=block',
      'x-marathon-leader': 'http://127.0.0.1:8080',
    });
    t.match(version, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const counts = { tasksStaged: 0, tasksRunning: 0, tasksHealthy: 0, tasksUnhealthy: 0 };
    const expected = {
      ...{ id: '/one', cmd: 'exec sleep 100000', cpus: 1, mem: 128, disk: 0, gpus: 0, instances: 1 },
      ...{ backoffFactor: 1.15, backoffSeconds: 1, maxLaunchDelaySeconds: 3600, executor: '', labels: {} },
      networks: [{ mode: 'host' }],
      portDefinitions: [{ port: 10_000, protocol: 'tcp', name: 'default' }],
      requirePorts: false,
      upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
      killSelection: 'YOUNGEST_FIRST',
      unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    };
    t.same(definition, { ...expected, ...counts }, 'without tasks and versionInfo');
    await api.settled('/one');
    t.match(await api.app('/one'), { ...expected, version, versionInfo: { lastScalingAt: version } });

    const two = await api.must<object>('POST', '/v2/apps', sleeper('/two', { portDefinitions: undefined }));
    t.match(two, { portDefinitions: [{ port: 10_001 }] }, 'the next one');
    await api.settled('/two');
    await api.remove('/one');
    const three = sleeper('/three', { portDefinitions: undefined });
    t.match(
      await api.must<object>('POST', '/v2/apps', three),
      { portDefinitions: [{ port: 10_000 }] },
      'free again',
    );
    for (const id of ['/two', '/three']) await api.remove(id);
  });

  await t.test('checklist 2: what is refused, with which words', async (t) => {
    await api.deploy(sleeper('/there'));
    const refused = async (body: unknown) => {
      const { status, body: answer } = await api.call('POST', '/v2/apps', body);
      return { status, answer };
    };
    t.match(await refused(sleeper('/there')), {
      status: 409,
      answer: { message: 'An app with id [/there] already exists.' },
    });
    t.match(await refused({ id: '/both', cmd: 'a', args: ['b'] }), {
      status: 422,
      answer: {
        message: 'Object is not valid',
        details: [
          {
            path: '/',
            errors: ["AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'."],
          },
        ],
      },
    });
    t.match(await refused({ id: '/A', cmd: 'a' }), { status: 422, answer: { details: [{ path: '/id' }] } });
    t.match(await refused('['), { status: 400, answer: { message: 'Invalid JSON', details: String } });
    t.match(await refused({ id: 5 }), {
      status: 422,
      answer: { message: 'Invalid JSON', details: [{ path: '/id', errors: ['error.expected.jsstring'] }] },
    });
    await api.remove('/there');
  });

  await t.test(
    'checklist 3: a scale restarts nothing, another change all; which versions move',
    async (t) => {
      const first = await api.deploy(sleeper('/moving'));
      const [task] = await api.tasks('/moving');
      const stepsOf = await watchSteps();
      const { deploymentId } = await api.must<Accepted>('PUT', '/v2/apps/moving', { instances: 3 });
      const scaled = await api.settled('/moving');
      t.same(await stepsOf(deploymentId), [{ actions: [{ action: 'ScaleApplication', app: '/moving' }] }]);
      t.ok(
        (await api.tasks('/moving')).some(({ id }) => id === task?.id),
        'what ran goes on',
      );
      t.ok(scaled.version > first.version);
      t.equal(scaled.versionInfo.lastScalingAt, scaled.version);
      t.equal(scaled.versionInfo.lastConfigChangeAt, first.versionInfo.lastConfigChangeAt);

      const changed = await api.must<Accepted>('PUT', '/v2/apps/moving', { cpus: 0.02 });
      const restarted = await api.settled('/moving');
      t.same(await stepsOf(changed.deploymentId), [
        { actions: [{ action: 'RestartApplication', app: '/moving' }] },
      ]);
      t.notOk(
        (await api.tasks('/moving')).some(({ id }) => id === task?.id),
        'all are new',
      );
      t.ok(restarted.version > scaled.version);
      t.same(restarted.versionInfo, {
        lastScalingAt: restarted.version,
        lastConfigChangeAt: restarted.version,
      });
    },
  );

  await t.test('checklist 4: a version brings an older definition back, under a new time', async (t) => {
    const { versions } = await api.must<{ versions: string[] }>('GET', '/v2/apps/moving/versions');
    const [newest = '', oldest = ''] = [versions[0], versions.at(-1)];
    await api.must('PUT', '/v2/apps/moving', { version: oldest });
    const back = await api.settled('/moving');
    t.match(back, { cpus: 0.01, instances: 1 });
    t.ok(back.version > newest);
    t.match(await api.call('PUT', '/v2/apps/moving', { version: oldest, cpus: 1 }), {
      status: 422,
      text: /The 'version' field may only be combined with the 'id' field\./,
    });
    await api.remove('/moving');
  });

  await t.test(
    'checklist 5: a change in the middle of another is refused, or takes over by force',
    async (t) => {
      await api.must('POST', '/v2/apps', big('/locked'));
      const [running] = await api.must<{ id: string }[]>('GET', '/v2/deployments');
      const ends = await openEvents(host, t, '?event_type=deployment_failed');
      t.match(await api.call('PUT', '/v2/apps/locked', { mem: 17 }), {
        status: 409,
        body: {
          message:
            "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.",
          deployments: [{ id: running?.id }],
        },
      });
      t.match(await api.call('PUT', '/v2/apps/locked?force=true', { cpus: 0.01 }), { status: 200 });
      t.match(await ends.next(), { value: { eventType: 'deployment_failed', id: running?.id } });
      await api.settled('/locked');
      await api.remove('/locked');
    },
  );

  await t.test('checklist 6: a deployment is undone, or with force left as it is', async (t) => {
    const created = await api.must<AppInfo>('POST', '/v2/apps', big('/undone'));
    t.match(await api.call('DELETE', `/v2/deployments/${created.deployments[0]?.id}`), {
      status: 200,
      body: { version: String, deploymentId: String },
    });
    await noDeployment();
    t.match(await api.call('GET', '/v2/apps/undone'), {
      status: 404,
      body: { message: "App '/undone' does not exist" },
    });

    const kept = await api.must<AppInfo>('POST', '/v2/apps', big('/kept'));
    const id = kept.deployments[0]?.id;
    t.match(await api.call('DELETE', `/v2/deployments/${id}?force=true`), { status: 202, text: '' });
    await noDeployment();
    t.match(await api.app('/kept'), { instances: 1, deployments: [] });
    t.match(await api.call('DELETE', `/v2/deployments/${id}`), {
      status: 404,
      body: { message: `DeploymentPlan ${id} does not exist` },
    });
    await api.remove('/kept');
  });

  async function noDeployment(): Promise<void> {
    await api.eventually('/v2/deployments', (all: readonly unknown[]) => all.length === 0);
  }

  /** The steps that a deployment announced, by its id. */
  async function watchSteps(): Promise<(id: string) => Promise<Steps>> {
    const events = await openEvents(host, t, '?event_type=deployment_success');
    const seen: Event[] = [];
    return async (id) => {
      while (!seen.some((event) => event['id'] === id))
        seen.push(...(await upTo(events, 'deployment_success')));
      const plan = seen.find((event) => event['id'] === id)?.['plan'];
      return (plan as { steps: Steps }).steps;
    };
  }
});
