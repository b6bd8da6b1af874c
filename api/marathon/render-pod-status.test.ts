import t from 'tap';
import type { PodApp } from '../../core/model/app.ts';
import type { ContainerStatus, HealthResult, InstanceState } from '../../core/model/instance.ts';
import type { Placement } from '../../core/model/placement.ts';
import { testAgent } from '../../core/state/testing/agents.ts';
import { parsePod } from './parse-pod.ts';
import type { PodInstanceFacts } from './pod-facts.ts';
import { renderPodStatus } from './render-pod-status.ts';

const version = '2026-01-01T00:00:00.000Z';
const since = Date.parse('2026-01-01T00:00:05.000Z');
const pod = podNamed('/pair');

function podNamed(id: string): PodApp {
  const draft = parsePod({
    id,
    containers: [
      {
        ...{ name: 'web', exec: { command: { shell: 'x' } }, resources: { cpus: 1, mem: 32 } },
        endpoints: [{ name: 'http' }],
        healthCheck: { tcp: { endpoint: 'http' } },
      },
      { name: 'side', exec: { command: { shell: 'x' } }, resources: { cpus: 1, mem: 32 } },
    ],
  });
  if (!draft.ok) throw new Error(JSON.stringify(draft.body));
  return { ...draft.value, version, versionInfo: { lastScalingAt: version, lastConfigChangeAt: version } };
}

function statusOf(state: InstanceState | undefined, placed: Partial<Placement> = {}, more = {}) {
  const placement: Placement = {
    ...{ instanceId: 'pair.instance-a', appId: '/pair', appVersion: version, agentId: 'h1', attempt: 1 },
    ...{ hostPorts: [31_000], containerPorts: [null], goal: 'run', createdAt: since },
    ...placed,
  };
  const { instanceId, appId, appVersion, agentId, attempt } = placement;
  const instance = state && {
    ...{ instanceId, appId, appVersion, agentId, attempt, stagedAt: since, state },
  };
  const facts: PodInstanceFacts = { pod, placement, instance, agent: testAgent('h1') };
  return renderPodStatus({
    ...{ pod, instances: [facts], failure: undefined, isBeingDeleted: false, now: since, ...more },
  });
}

const started: readonly ContainerStatus[] = [
  { name: 'web', since },
  { name: 'side', since },
];
const healthy: HealthResult = { alive: true, consecutiveFailures: 0, firstSuccess: since + 1_000 };

function running(health: HealthResult | null, containers = started): InstanceState {
  return { kind: 'running', since, addresses: [], health: [health], containers };
}

t.test('an instance is pending, staging, stable, degraded or terminal', async (t) => {
  const rows = [
    [statusOf(undefined), 'PENDING'],
    [statusOf({ kind: 'staging', step: 'fetching', since }), 'STAGING'],
    [statusOf(running(healthy)), 'STABLE'],
    [statusOf(running({ alive: false, consecutiveFailures: 1 })), 'DEGRADED'],
    [statusOf(running(healthy), { unreachableSince: since }), 'DEGRADED'],
    [statusOf(running(healthy), { goal: 'drain', drainingSince: since }), 'TERMINAL'],
    [statusOf({ kind: 'killing', since }), 'TERMINAL'],
    [statusOf({ kind: 'ended', at: since, how: 'failed', reason: 'x' }), 'TERMINAL'],
  ] as const;
  for (const [status, expected] of rows) t.match(status, { instances: [{ status: expected }] });
  t.match(statusOf(running(healthy), { unreachableSince: since }), {
    instances: [{ message: 'pod instance has become unreachable' }],
  });
});

t.test('a pod is stable when enough of its instances are, and terminal while it is deleted', async (t) => {
  t.match(statusOf(running(healthy)), { status: 'STABLE', statusSince: '2026-01-01T00:00:06.000Z' });
  t.match(statusOf(running(null)), { status: 'DEGRADED' });
  t.match(statusOf(running(healthy), {}, { isBeingDeleted: true }), { status: 'TERMINAL' });
  t.match(statusOf(undefined, {}, { instances: [] }), { status: 'DEGRADED', instances: [] });
});

t.test('a container says its health, its ports, and how it ended', async (t) => {
  const end = { at: since, how: 'finished', reason: 'exit code 0', exitCode: 0 } as const;
  const [instance] = statusOf(
    running(null, [
      { name: 'web', since },
      { name: 'side', since, end },
    ]),
  )['instances'] as readonly object[];
  t.match(instance, {
    message: 'at least one container is not healthy',
    networks: [{ addresses: [testAgent('h1').address] }],
    containers: [
      {
        ...{ name: 'web', status: 'TASK_RUNNING', containerId: 'pair.instance-a.web.1' },
        conditions: [{ name: 'healthy', value: 'false', reason: 'health-unreported-by-mesos' }],
        endpoints: [{ name: 'http', allocatedHostPort: 31_000, healthy: false }],
      },
      {
        ...{ name: 'side', status: 'TASK_FINISHED', conditions: [], endpoints: [] },
        termination: { exitCode: 0, message: 'exit code 0' },
      },
    ],
  });
  t.match(statusOf(running(healthy)), {
    instances: [
      { containers: [{ conditions: [{ value: 'true', reason: 'health-reported-by-mesos' }] }, {}] },
    ],
  });
});
