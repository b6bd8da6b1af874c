import { type Dispatcher, request } from 'undici';
import { becomes } from '../lab/processes.ts';
import type { Tunnel } from './tunnel.ts';

/** What the tests read of Marathon's answers. */
export type AppInfo = {
  readonly id: string;
  readonly version: string;
  readonly versionInfo: { readonly lastScalingAt: string; readonly lastConfigChangeAt: string };
  readonly cpus: number;
  readonly instances: number;
  readonly tasksRunning: number;
  readonly tasksHealthy: number;
  readonly tasksStaged: number;
  readonly tasksUnhealthy: number;
  readonly deployments: readonly { readonly id: string }[];
  readonly tasks: readonly Task[];
  readonly lastTaskFailure?: {
    readonly timestamp: string;
    readonly message: string;
    readonly state: string;
    readonly taskId: string;
  };
};

export type Task = {
  readonly id: string;
  readonly state: string;
  readonly host: string;
  readonly ports: readonly number[];
  readonly version: string;
  readonly stagedAt: string;
  readonly startedAt: string;
  readonly ipAddresses: readonly { readonly ipAddress: string }[];
  readonly healthCheckResults?: readonly { readonly alive: boolean }[];
};

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
  readonly text: string;
};

type Method = Dispatcher.HttpMethod;

type Node = { readonly connected: boolean; readonly revision: number; readonly acks: Record<string, number> };
type Deployment = { readonly affectedApps: readonly string[] };
type Line = { readonly stream: string; readonly text: string };

const usualOrigin = 'http://127.0.0.1:8080';
const becomesWithinMs = 60_000;

/** The product's API from outside, with the waits that tests need. */
export class Api {
  readonly #tunnel: Tunnel;

  readonly #origin: string;

  constructor(tunnel: Tunnel, origin = usualOrigin) {
    this.#tunnel = tunnel;
    this.#origin = origin;
  }

  /** Any request; `body` is sent as JSON, or as it is when it is text. */
  async call(method: Method, path: string, body?: unknown): Promise<Answer> {
    const response = await request(this.#origin + path, {
      method,
      dispatcher: this.#tunnel.dispatcher,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.body.text();
    return { status: response.statusCode, headers: response.headers, body: parsed(text), text };
  }

  /** A request that must succeed. */
  async must<T = unknown>(method: Method, path: string, body?: unknown): Promise<T> {
    const answer = await this.call(method, path, body);
    if (answer.status < 300) return answer.body as T;
    throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  }

  async app(id: string): Promise<AppInfo> {
    return (
      await this.must<{ app: AppInfo }>('GET', `/v2/apps${id}?embed=app.counts&embed=app.lastTaskFailure`)
    ).app;
  }

  async tasks(id: string): Promise<readonly Task[]> {
    return (await this.must<{ tasks: readonly Task[] }>('GET', `/v2/apps${id}/tasks`)).tasks;
  }

  /** True when the agents are connected and each consumer has the newest Directory in force. */
  async inForce(): Promise<boolean> {
    const { nodes } = await this.must<{ nodes: readonly Node[] }>('GET', '/v1/nodes');
    return (
      nodes.length > 0 &&
      nodes.every(
        ({ connected, revision, acks }) =>
          connected && Object.keys(acks).length > 0 && Object.values(acks).every((ack) => ack >= revision),
      )
    );
  }

  /** Waits until the condition holds; throws with the last that was seen of the app. */
  async until(id: string, holds: (app: AppInfo) => boolean | Promise<boolean>): Promise<AppInfo> {
    let last: AppInfo | undefined;
    const reached = await becomes(async () => {
      last = await this.app(id);
      return holds(last);
    }, becomesWithinMs);
    if (reached && last !== undefined) return last;
    throw new Error(`${id} does not get there: ${JSON.stringify(last)}`);
  }

  /** Asks again until the answer is so. */
  async eventually<T>(path: string, holds: (body: T) => boolean): Promise<T> {
    let last: T | undefined;
    const reached = await becomes(async () => {
      last = await this.must<T>('GET', path);
      return holds(last);
    }, becomesWithinMs);
    if (reached && last !== undefined) return last;
    throw new Error(`GET ${path} does not get there: ${JSON.stringify(last)}`);
  }

  /** Posts an app and waits until it is deployed and known everywhere. */
  async deploy(definition: { readonly id: string } & Record<string, unknown>): Promise<AppInfo> {
    await this.must('POST', '/v2/apps', definition);
    return this.settled(definition.id);
  }

  /** Waits until nothing of the app is under way, and the outcome is in force. */
  async settled(id: string): Promise<AppInfo> {
    const app = await this.until(
      id,
      (app) => app.deployments.length === 0 && app.tasksRunning === app.instances,
    );
    await this.spread();
    return app;
  }

  async spread(): Promise<void> {
    if (!(await becomes(() => this.inForce(), becomesWithinMs)))
      throw new Error('the Directory is not in force');
  }

  /** Removes an app and waits until no deployment is about it. */
  async remove(id: string): Promise<void> {
    await this.must('DELETE', `/v2/apps${id}`);
    const gone = await becomes(async () => {
      const deployments = await this.must<readonly Deployment[]>('GET', '/v2/deployments');
      return !deployments.some(({ affectedApps }) => affectedApps.includes(id));
    }, becomesWithinMs);
    if (!gone) throw new Error(`the removal of ${id} does not end`);
  }

  /** The lines a task wrote to standard output. */
  async log(taskId: string): Promise<readonly string[]> {
    const instance = taskId.replace(/\._app\.\d+$/, '');
    const path = `/v1/instances/${instance}/log?stream=stdout&tail=1000`;
    return (await this.must<{ lines: readonly Line[] }>('GET', path)).lines.map((line) => line.text);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
