import { applyDelta, type Endpoint, emptyDirectory, type Vip } from '../core/model/directory.ts';

/** `apps` apps of one instance and one named port each, `/bench/app-0` …, each with a VIP. */
export function directoryOf(apps: number) {
  const ids = Array.from({ length: apps }, (_, app) => app);
  const changes = { agents: { set: [], gone: [] }, routes: { set: [], gone: [] } };
  return applyDelta(emptyDirectory, {
    from: 0,
    revision: 1,
    ...changes,
    endpoints: { set: ids.map((app) => endpointOf(app)), gone: [] },
    vips: { set: ids.map(vipFor), gone: [] },
  });
}

export function endpointOf(app: number, range = '100.64'): Endpoint {
  const ip = addressAt(range, app);
  const instanceId = `bench_app-${app}.instance-${app}`;
  const port = { protocols: ['tcp'], scope: 'container', containerPort: 80, labels: {} } as const;
  return {
    instanceId,
    taskId: `${instanceId}._app.1`,
    appId: `/bench/app-${app}`,
    agentId: 'agent-S1',
    agentAddress: '100.100.0.1',
    addresses: [{ network: 'weir', ip }],
    ports: [{ ...port, index: 0, name: 'http', address: ip, port: 80 }],
    ready: true,
  };
}

function vipFor(app: number): Vip {
  const names = [`app-${app}.bench.weir`];
  const services = [{ appId: `/bench/app-${app}`, portIndex: 0 }];
  return { key: `tcp:${names[0]}:80`, protocol: 'tcp', address: vipOf(app), port: 80, names, services };
}

export function vipOf(app: number): string {
  return addressAt('100.127', app);
}

function addressAt(range: string, index: number): string {
  return `${range}.${index >> 8}.${index & 255}`;
}
