import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { type Answers, startFakeMaster } from './testing/fake-master.ts';
import { weir } from './testing/weir.ts';

type Parent = { teardown(end: () => Promise<void>): void };

const version = '2026-11-21T20:00:00.000Z';
const accepted = { body: { version, deploymentId: 'd-1' } };
const deployment = {
  id: 'd-1',
  version,
  affectedApps: ['/web'],
  steps: [{ actions: [{ action: 'ScaleApplication', app: '/web' }] }],
  currentActions: [{ action: 'ScaleApplication', app: '/web' }],
  currentStep: 1,
  totalSteps: 1,
};

function app(more: object = {}) {
  return { body: { app: { id: '/web', instances: 2, version, tasksRunning: 2, tasksHealthy: 0, ...more } } };
}

/** A deployment that is under way for one look and gone at the next. */
const finished: Answers = {
  'GET /v2/deployments': [{ body: [deployment] }, { body: [] }],
  'GET /v2/queue': { body: { queue: [] } },
  'GET /v2/apps/web': [app({ tasksRunning: 1 }), app()],
};

async function given(t: Parent, answers: Answers) {
  const master = await startFakeMaster(answers);
  t.teardown(() => master.close());
  return master;
}

t.test('weir app add posts the definition, shows progress on stderr and waits', async (t) => {
  const created = { status: 201, body: { id: '/web', version, deployments: [{ id: 'd-1' }] } };
  const master = await given(t, { ...finished, 'POST /v2/apps': created });
  const definition = { id: 'web', cmd: 'sleep 1000', instances: 2 };
  const { exitCode, stdout, stderr } = await weir(['app', 'add', '-'], {
    master: master.url,
    input: JSON.stringify(definition),
  });
  t.equal(stdout, '/web is deployed: 2/2 running');
  t.equal(stderr, '/web: scale, 1/2 running');
  t.equal(exitCode, 0);
  t.same(master.requests[0], { request: 'POST /v2/apps', body: definition });
});

t.test('weir app scale changes nothing but the instances of an app that exists', async (t) => {
  const master = await given(t, { ...finished, 'PATCH /v2/apps/web': accepted });
  const { exitCode, stdout } = await weir(['app', 'scale', 'web', '2', '--force'], { master: master.url });
  t.equal(stdout, '/web is scaled: 2/2 running');
  t.equal(exitCode, 0);
  t.same(master.requests[0], { request: 'PATCH /v2/apps/web?force=true', body: { instances: 2 } });
});

t.test('weir app update merges dotted keys into what the app has', async (t) => {
  const before = app({ env: { A: '1', B: '2' } });
  const master = await given(t, { 'GET /v2/apps/web': before, 'PATCH /v2/apps/web': accepted });
  const words = ['app', 'update', '/web', '--no-wait', 'cpus=0.5', 'env.B=3', 'cmd=12', 'args=["a","b"]'];
  const { exitCode } = await weir(words, { master: master.url });
  t.equal(exitCode, 0);
  t.same(master.requests.at(-1)?.body, { cpus: 0.5, env: { A: '1', B: '3' }, cmd: '12', args: ['a', 'b'] });
});

t.test('weir app update takes a file as it is', async (t) => {
  const master = await given(t, { 'PATCH /v2/apps/web': accepted });
  const file = join(mkdtempSync(join(tmpdir(), 'weir-cli-')), 'change.json');
  writeFileSync(file, '{"mem": 64}');
  const { exitCode } = await weir(['app', 'update', '/web', file, '--no-wait'], { master: master.url });
  t.equal(exitCode, 0);
  t.same(master.requests, [{ request: 'PATCH /v2/apps/web', body: { mem: 64 } }]);
});

t.test('weir app rm does not break into a deployment unless it is told to', async (t) => {
  const master = await given(t, { ...finished, 'DELETE /v2/apps/web': accepted });
  const { stdout } = await weir(['app', 'rm', '/web'], { master: master.url });
  t.equal(stdout, '/web is removed');
  t.equal(master.requests[0]?.request, 'DELETE /v2/apps/web?force=false');
});

t.test('a wait says why the deployment does not get on, and ends after --timeout', async (t) => {
  const item = {
    app: { id: '/web' },
    count: 1,
    delay: { timeLeftSeconds: 0, overdue: true },
    refusals: [{ agentId: 'a', reason: 'InsufficientCpus', detail: 'needs 2 cpus, h1 has 1.5 free' }],
  };
  const master = await given(t, {
    ...finished,
    'PATCH /v2/apps/web': accepted,
    'GET /v2/deployments': { body: [deployment] },
    'GET /v2/queue': { body: { queue: [item] } },
  });
  const { exitCode, stderr } = await weir(['app', 'scale', 'web', '2', '--timeout', '0.3'], {
    master: master.url,
  });
  t.equal(exitCode, 1);
  t.match(stderr, /scale, 1\/2 running; waits: needs 2 cpus, h1 has 1\.5 free/);
  t.match(stderr, /error: Deployment d-1 is not done after 0\.3 s/);
  t.match(stderr, /next: It goes on\. See "weir why \/web"/);
});

t.test('a deployment that vanishes without having got there is a failure, with its reason', async (t) => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [app({ tasksRunning: 1 }), /it was cancelled; at last \/web: scale/],
    [app({ version: '2026-11-21T21:00:00.000Z' }), /another change took its place/],
    [{ status: 404, body: { message: "App '/web' does not exist" } }, /the app is gone/],
    [
      app({
        tasksRunning: 0,
        lastTaskFailure: { message: 'exit code 1', timestamp: '2026-11-21T20:00:01.000Z' },
      }),
      /instances end: exit code 1/,
    ],
  ];
  for (const [end, words] of cases) {
    const master = await given(t, {
      ...finished,
      'PATCH /v2/apps/web': accepted,
      'GET /v2/apps/web': [app({ tasksRunning: 1 }), end],
    });
    const { exitCode, stderr } = await weir(['app', 'scale', 'web', '2'], { master: master.url });
    t.equal(exitCode, 1);
    t.match(stderr, words);
  }
});

t.test('weir deployment cancel finds it by a beginning, and waits for the way back', async (t) => {
  const master = await given(t, {
    ...finished,
    'GET /v2/deployments': [{ body: [deployment] }, { body: [{ ...deployment, id: 'd-2' }] }, { body: [] }],
    'DELETE /v2/deployments/d-1': { body: { version, deploymentId: 'd-2' } },
  });
  const { exitCode, stdout } = await weir(['deployment', 'cancel', 'd'], { master: master.url });
  t.equal(stdout, 'd-1 is undone');
  t.equal(exitCode, 0);
});

t.test('weir route add and rm name the route by host and path', async (t) => {
  const record = {
    id: 'a.example.org/x',
    host: 'a.example.org',
    pathPrefix: '/x',
    service: { appId: '/web', portIndex: 1 },
  };
  const master = await given(t, {
    'POST /v1/routes': { status: 201, body: record },
    'DELETE /v1/routes/a.example.org/x': { status: 204 },
  });
  const words = ['route', 'add', 'a.example.org', 'web', '--path', '/x', '--port-index', '1'];
  t.equal((await weir(words, { master: master.url })).stdout, 'a.example.org/x goes to /web, port index 1');
  t.same(master.requests[0]?.body, { host: 'a.example.org', app: '/web', path: '/x', portIndex: 1 });
  t.equal(
    (await weir(['route', 'rm', 'A.example.org/x'], { master: master.url })).stdout,
    'a.example.org/x is removed',
  );
});

t.test('weir network add sends only what was given', async (t) => {
  const body = { name: 'db', cidr: '100.65.0.0/16', agentPrefix: 26, backend: 'vxlan' };
  const master = await given(t, { 'POST /v1/networks': { status: 201, body } });
  const words = ['network', 'add', 'db', '100.65.0.0/16', '--agent-prefix', '26'];
  t.equal((await weir(words, { master: master.url })).exitCode, 0);
  t.same(master.requests[0]?.body, { name: 'db', cidr: '100.65.0.0/16', agentPrefix: 26 });
});
