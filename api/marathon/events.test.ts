import t from 'tap';
import type { Deployment } from '../../core/model/deployment.ts';
import type { Instance, InstanceState } from '../../core/model/instance.ts';
import { tcpCheck } from '../../core/state/testing/apps.ts';
import { apiEvents, failedCheckEvents, instanceEvents } from './events.ts';
import { renderDeployment } from './render-deployment.ts';

const now = Date.UTC(2024, 2, 1);
const timestamp = '2024-03-01T00:00:00.000Z';

const deployment: Deployment = {
  id: 'd1',
  version: 'v2',
  steps: [
    { actions: [{ kind: 'StartApplication', app: '/a', target: 0 }] },
    { actions: [{ kind: 'ScaleApplication', app: '/a', target: 2 }] },
  ],
  step: 1,
  affectedApps: ['/a'],
  originals: { '/a': null },
  startedAt: now,
};
const plan = {
  id: 'd1',
  version: 'v2',
  steps: [
    { actions: [{ action: 'StartApplication', app: '/a' }] },
    { actions: [{ action: 'ScaleApplication', app: '/a' }] },
  ],
};

function instance(state: InstanceState): Instance {
  const ids = { instanceId: 'a.instance-1', appId: '/a', agentId: 'a1', appVersion: 'v2' };
  return { ...ids, attempt: 1, stagedAt: now, state };
}

function running(...alive: boolean[]): Instance {
  const health = alive.map((one) => ({ alive: one, consecutiveFailures: 0 }));
  return instance({ kind: 'running', since: now, addresses: [{ network: 'n', ip: 'fd00::1' }], health });
}

function eventsOf(before: Instance | undefined, after: Instance) {
  return instanceEvents({ before, after, placement: undefined, agent: undefined }, now);
}

t.test('a deployment is shown with its steps counted from one', async (t) => {
  t.same(renderDeployment(deployment), {
    ...plan,
    affectedApps: ['/a'],
    affectedPods: [],
    currentActions: [{ action: 'ScaleApplication', app: '/a', readinessCheckResults: [] }],
    currentStep: 2,
    totalSteps: 2,
  });
  t.match(renderDeployment({ ...deployment, steps: [], step: 0 }), { currentStep: 0, currentActions: [] });
});

t.test('the course of a deployment is told with the light plan', async (t) => {
  const currentStep = plan.steps[1];
  t.same(apiEvents({ kind: 'deployment-step', deployment }, now), [
    { plan, currentStep, eventType: 'deployment_info', timestamp },
  ]);
  t.same(apiEvents({ kind: 'deployment-done', deployment }, now), [
    { id: 'd1', plan, eventType: 'deployment_success', timestamp },
  ]);
  t.match(apiEvents({ kind: 'deployment-failed', deployment, reason: 'cancelled' }, now), [
    { id: 'd1', eventType: 'deployment_failed', reason: 'cancelled' },
  ]);
});

t.test('a new state of an instance is told as a status of its task and as a condition', async (t) => {
  t.same(eventsOf(undefined, running()), [
    {
      slaveId: 'a1',
      taskId: 'a.instance-1._app.1',
      taskStatus: 'TASK_RUNNING',
      message: '',
      appId: '/a',
      host: 'a1',
      ipAddresses: [{ ipAddress: 'fd00::1', protocol: 'IPv6' }],
      ports: [],
      version: 'v2',
      eventType: 'status_update_event',
      timestamp,
    },
    {
      instanceId: 'a.instance-1',
      condition: 'Running',
      runSpecId: '/a',
      agentId: 'a1',
      host: 'a1',
      runSpecVersion: 'v2',
      eventType: 'instance_changed_event',
      timestamp,
    },
  ]);
});

t.test('an end is told with its reason', async (t) => {
  const ended = instance({ kind: 'ended', at: now, how: 'failed', reason: 'exit code 3' });
  t.match(eventsOf(running(), ended)[0], { taskStatus: 'TASK_FAILED', message: 'exit code 3' });
});

t.test('health is told when it changes, not when it is reported again', async (t) => {
  t.same(
    eventsOf(running(true), running(false)).map(({ eventType, healthy, alive }) => [
      eventType,
      healthy ?? alive,
    ]),
    [
      ['instance_health_changed_event', false],
      ['health_status_changed_event', false],
    ],
  );
  t.same(eventsOf(running(true), running(true)), []);
});

t.test('each failure of a health check is told once', async (t) => {
  const checks = [tcpCheck, { ...tcpCheck, portIndex: 1 }];
  const failed = (...failures: number[]) =>
    instance({
      ...{ kind: 'running', since: now, addresses: [] },
      health: failures.map((consecutiveFailures) => ({
        alive: consecutiveFailures === 0,
        consecutiveFailures,
      })),
    });
  const told = (before: Instance | undefined, after: Instance) =>
    failedCheckEvents({ before, after, checks }, now).map(({ healthCheck }) => healthCheck);

  t.same(told(failed(0, 0), failed(0, 1)), [checks[1]]);
  t.same(told(failed(0, 1), failed(1, 2)), checks);
  t.same(told(failed(0, 1), failed(0, 1)), [], 'said again');
  t.same(told(failed(2, 2), failed(0, 0)), [], 'well again');
  t.same(told(undefined, running()), [], 'nothing heard yet');
  t.match(failedCheckEvents({ before: undefined, after: failed(1), checks }, now), [
    { eventType: 'failed_health_check_event', appId: '/a', taskId: 'a.instance-1', timestamp },
  ]);
});
