import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RunResult } from '../../core/kit/exec.ts';
import { type Host, openHost } from '../product/host.ts';
import { workerOf } from '../product/machine.ts';
import { type Product, repository, startProduct } from '../product/product.ts';

/** A machine with Weir on it, one app as bad as a path says (`backend.ts`), and a route `edge.example` to it. */
export type EdgeHost = {
  readonly host: Host;
  readonly product: Product;
  /** Memory of the worker that serves, bytes. */
  memory(): number;
  /** CPU milliseconds that it has used. */
  cpuMs(): number;
  /** Where the app is without the edge: `ADDRESS:PORT`. */
  app(): Promise<string>;
  /** Runs a program in the namespace, to its end; its last line is JSON. */
  script<T>(program: URL, args: readonly string[]): Promise<T>;
};

const backend = fileURLToPath(new URL('backend.ts', import.meta.url));
/** Shows the app this clone, also where the clone is in a folder that containers have for themselves. */
const volumes = [{ hostPath: repository, containerPath: repository, mode: 'RO' }];

export function backendApp(id: string) {
  return {
    id,
    cmd: `exec ${process.execPath} ${backend}`,
    instances: 1,
    cpus: 0.5,
    mem: 256,
    networks: [{ mode: 'host' }],
    container: { type: 'MESOS', volumes },
    portDefinitions: [{ port: 0 }],
    healthChecks: [
      { protocol: 'MESOS_HTTP', path: '/', portIndex: 0, intervalSeconds: 5, gracePeriodSeconds: 30 },
    ],
  };
}

export async function openEdge(
  t: { teardown(end: () => Promise<void>): void },
  label: string,
  route: object = {},
): Promise<EdgeHost> {
  const host = await openHost(t, label);
  const product = await startProduct(host);
  const { api } = product;
  await api.deploy(backendApp('/backend'));
  await api.until('/backend', ({ tasksHealthy }) => tasksHealthy === 1);
  await api.must('POST', '/v1/routes', { host: 'edge.example', app: '/backend', ...route });
  await api.spread();
  const worker = () => workerOf(product, 'lb/edge/worker') ?? -1;
  return {
    host,
    product,
    memory: () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${worker()}/status`, 'utf8'))?.[1]) * 1_024,
    cpuMs: () => cpuMs(worker()),
    async app() {
      const [task] = await api.tasks('/backend');
      return `${task?.host}:${task?.ports[0]}`;
    },
    async script<T>(program: URL, args: readonly string[]) {
      const file = fileURLToPath(program);
      const result = await host.exec([process.execPath, file, ...args]);
      return parsed<T>(file, result);
    },
  };
}

function parsed<T>(name: string, { exitCode, stdout, stderr }: RunResult): T {
  if (exitCode !== 0) throw new Error(`${name} ended with ${exitCode}:\n${stdout}${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
}

function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
