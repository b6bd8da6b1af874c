import t from 'tap';
import type { Agent } from '../../core/model/agent.ts';
import type { Instance, InstanceState } from '../../core/model/instance.ts';
import type { Placement } from '../../core/model/placement.ts';
import { condition, countTasks, renderTask, taskState } from './render-task.ts';

const at = Date.UTC(2024, 2, 1, 9, 15, 5);
const instanceId = 'shop_cart.instance-6c7b';

const placement: Placement = {
  instanceId,
  appId: '/shop/cart',
  appVersion: '2024-03-01T09:15:04.120Z',
  agentId: 'a1',
  attempt: 2,
  hostPorts: [31_044, null],
  containerPorts: [80, 81],
  goal: 'run',
  createdAt: at,
};
const agent: Agent = {
  id: 'a1',
  hostname: 'node-1',
  address: '100.64.0.7',
  resources: { cpus: 1, mem: 1, disk: 0, gpus: 0 },
  ports: [],
  attributes: {},
  edge: false,
  runtime: 'fake',
  consumers: [],
};
const healthy = { alive: true, consecutiveFailures: 0, firstSuccess: at, lastSuccess: at };

function instance(state: InstanceState): Instance {
  const { appId, appVersion, agentId, attempt } = placement;
  return { instanceId, appId, appVersion, agentId, attempt, stagedAt: at, state };
}

function running(...health: (typeof healthy | null)[]): Instance {
  const addresses = [{ network: 'n', ip: '100.64.3.4' }];
  return instance({ kind: 'running', since: at + 1_413, addresses, health });
}

t.test('a running task is shown with its agent, ports, addresses and health', async (t) => {
  t.same(renderTask({ placement, instance: running(healthy, null), agent }), {
    id: 'shop_cart.instance-6c7b._app.2',
    appId: '/shop/cart',
    host: 'node-1',
    slaveId: 'a1',
    state: 'TASK_RUNNING',
    ports: [31_044],
    servicePorts: [],
    ipAddresses: [{ ipAddress: '100.64.3.4', protocol: 'IPv4' }],
    stagedAt: '2024-03-01T09:15:05.000Z',
    startedAt: '2024-03-01T09:15:06.413Z',
    version: placement.appVersion,
    healthCheckResults: [
      {
        alive: true,
        consecutiveFailures: 0,
        firstSuccess: '2024-03-01T09:15:05.000Z',
        lastSuccess: '2024-03-01T09:15:05.000Z',
        instanceId,
      },
    ],
    localVolumes: [],
  });
});

t.test('a task on the host network has the address of its agent', async (t) => {
  const host = instance({ kind: 'running', since: at, addresses: [], health: [] });
  t.match(renderTask({ placement, instance: host, agent }), { ipAddresses: [{ ipAddress: '100.64.0.7' }] });
});

t.test('a task that ended has no ports and no times', async (t) => {
  const ended = instance({ kind: 'ended', at, how: 'failed', reason: 'exit code 1' });
  const task = renderTask({ placement, instance: ended, agent });
  t.match(task, { state: 'TASK_FAILED', ports: [], ipAddresses: [] });
  t.same(
    ['stagedAt', 'startedAt', 'version'].filter((key) => key in task),
    [],
  );
});

t.test('states have the names of Marathon', async (t) => {
  const rows: readonly [InstanceState, string][] = [
    [{ kind: 'staging', step: 'fetching', since: at }, 'STAGING'],
    [{ kind: 'staging', step: 'starting', since: at }, 'STARTING'],
    [{ kind: 'killing', since: at }, 'KILLING'],
    [{ kind: 'ended', at, how: 'finished', reason: '' }, 'FINISHED'],
    [{ kind: 'ended', at, how: 'killed', reason: '' }, 'KILLED'],
  ];
  for (const [state, name] of rows) {
    t.equal(taskState(instance(state)), `TASK_${name}`);
    t.equal(condition(instance(state)).toUpperCase(), name);
  }
});

t.test(
  'tasks are counted by state and by health; one without checks is neither healthy nor unhealthy',
  async (t) => {
    const ill = { ...healthy, alive: false };
    const staging = instance({ kind: 'staging', step: 'fetching', since: at });
    const instances = [staging, running(), running(null), running(healthy), running(healthy, ill)];
    const placement = {} as Placement;
    const tasks = instances.map((one) => ({ instance: one, placement }));
    const away = { instance: running(healthy), placement: { unreachableSince: 1 } as Placement };
    t.same(countTasks([...tasks, away]), {
      tasksStaged: 1,
      tasksRunning: 4,
      tasksHealthy: 1,
      tasksUnhealthy: 1,
    });
  },
);
