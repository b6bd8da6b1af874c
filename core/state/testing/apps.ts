import type { App, UpgradeStrategy } from '../../model/app.ts';
import type { HealthCheck } from '../../model/health-check.ts';
import type { AppId } from '../../model/ids.ts';

export const bothOnce: UpgradeStrategy = { minimumHealthCapacity: 1, maximumOverCapacity: 1 };

export const tcpCheck: HealthCheck = {
  protocol: 'MESOS_TCP',
  portIndex: 0,
  gracePeriodSeconds: 300,
  intervalSeconds: 60,
  timeoutSeconds: 20,
  maxConsecutiveFailures: 3,
  delaySeconds: 15,
};

/** A small app with Marathon's defaults, to be changed by what a test is about. */
export function testApp(id: AppId, fields: Partial<App> = {}): App {
  return {
    id,
    cmd: 'serve',
    instances: 1,
    cpus: 0.5,
    mem: 64,
    disk: 0,
    gpus: 0,
    env: {},
    labels: {},
    executor: '',
    networks: [{ mode: 'host' }],
    portDefinitions: [],
    requirePorts: false,
    constraints: [],
    dependencies: [],
    healthChecks: [],
    readinessChecks: [],
    upgradeStrategy: bothOnce,
    backoffSeconds: 1,
    backoffFactor: 1.15,
    maxLaunchDelaySeconds: 300,
    killSelection: 'YOUNGEST_FIRST',
    unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    fetch: [],
    secrets: {},
    version: '',
    versionInfo: { lastScalingAt: '', lastConfigChangeAt: '' },
    ...fields,
  };
}
