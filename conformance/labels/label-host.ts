import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { becomes } from '../lab/processes.ts';
import { Api } from '../product/api.ts';
import { type Host, openHost } from '../product/host.ts';
import { dataOf, repository, spawnWeir, startProduct } from '../product/product.ts';
import type { Echo } from './echo.ts';

const echo = fileURLToPath(new URL('echo.ts', import.meta.url));

type Labels = Readonly<Record<string, string>>;

export type EchoApp = {
  readonly ports?: readonly number[];
  readonly instances?: number;
  /** `false`: none. */
  readonly check?: object | false;
  readonly env?: Labels;
};

const httpCheck = {
  ...{ protocol: 'MESOS_HTTP', path: '/health', portIndex: 0, delaySeconds: 0, intervalSeconds: 1 },
  ...{ timeoutSeconds: 5, gracePeriodSeconds: 30, maxConsecutiveFailures: 0 },
};
export const tcpCheck = { ...httpCheck, protocol: 'MESOS_TCP', path: undefined, maxConsecutiveFailures: 3 };

/** An app of `echo.ts` with these labels and service ports. */
export function echoApp(id: string, labels: Labels, options: EchoApp = {}) {
  const { ports = [0], instances = 1, check = tcpCheck, env = {} } = options;
  return {
    id,
    cmd: `exec ${process.execPath} ${echo}`,
    ...{ instances, cpus: 0.05, mem: 128, env },
    networks: [{ mode: 'host' }],
    container: {
      type: 'MESOS',
      volumes: [{ hostPath: repository, containerPath: repository, mode: 'RO' }],
    },
    portDefinitions: ports.map((port, index) => ({ port, name: `p${index}` })),
    healthChecks: check === false ? [] : [check],
    labels,
  };
}

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** What the app says it was asked; undefined: it was not asked. */
  readonly echo: Echo | undefined;
};

export type Ask = {
  readonly port?: number;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly address?: string;
};

/** A machine with Weir on it whose edge is asked. */
export type LabelHost = {
  readonly host: Host;
  readonly api: Api;
  ask(path: string, how?: Ask): Promise<Answer>;
  /** Asks until the answer is so, and gives the last one. */
  until(path: string, how: Ask, holds: (answer: Answer) => boolean): Promise<Answer>;
  /** Posts an app and waits until it is deployed, healthy and known everywhere. */
  deploy(app: ReturnType<typeof echoApp>): Promise<void>;
};

export const edgePort = 8000;
export const statisticsPort = 9090;

export type LabelHostOptions = {
  /** That the edge serves with; both are to do the same. */
  readonly engine: string;
  /** Of `weir dev`. */
  readonly flags?: readonly string[];
  /** A master and an agent that is called after its address, so that tools which look its name up find it. */
  readonly isApart?: boolean;
};

type Teardown = { teardown(end: () => Promise<void>): void };

export async function openLabelHost(
  t: Teardown,
  label: string,
  { engine, flags = [], isApart = false }: LabelHostOptions,
): Promise<LabelHost> {
  const host = await openHost(t, label);
  const api = isApart
    ? await startApart(host, engine)
    : (await startProduct(host, { flags: ['--edge-engine', engine, ...flags] })).api;
  const ask = async (
    path: string,
    { port = edgePort, host: name, headers, address = '127.0.0.1' }: Ask = {},
  ) => {
    const answer = await request(`http://${address}:${port}${path}`, {
      dispatcher: host.tunnel.single,
      headers: { ...(name === undefined ? {} : { host: name }), ...headers },
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, text, echo: echoIn(text) };
  };
  return {
    host,
    api,
    ask,
    async until(path, how, holds) {
      let last: Answer | undefined;
      const reached = await becomes(async () => {
        last = await ask(path, how).catch(() => undefined);
        return last !== undefined && holds(last);
      }, 20_000);
      if (reached && last !== undefined) return last;
      throw new Error(`${path} does not get there: ${JSON.stringify(last)}`);
    },
    async deploy(app) {
      await api.deploy(app);
      if (app.healthChecks.length > 0)
        await api.until(app.id, ({ tasksHealthy }) => tasksHealthy === app.instances);
      await api.spread();
    },
  };
}

/** Where the only agent of a cluster in one namespace is. */
export const agentAddress = '100.127.255.1';

async function startApart(host: Host, engine: string): Promise<Api> {
  await host.shell(`ip address replace ${agentAddress}/32 dev lo`);
  const data = (name: string) => ['--data', join(dataOf(host), name)];
  spawnWeir(host, ['master', ...data('master')]);
  const places = ['--http', `0.0.0.0:${edgePort}`, '--edge-stats', `0.0.0.0:${statisticsPort}`];
  const name = ['--address', agentAddress, '--hostname', agentAddress];
  spawnWeir(host, ['agent', '--edge', '--edge-engine', engine, ...name, ...places, ...data('agent')]);
  const api = new Api(host.tunnel);
  await becomes(() => api.inForce().catch(() => false), 60_000);
  return api;
}

function echoIn(text: string): Echo | undefined {
  if (!text.startsWith('{"app"')) return undefined;
  return JSON.parse(text);
}
