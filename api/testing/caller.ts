import { type Dispatcher, request } from 'undici';
import { EventReader } from './event-reader.ts';

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Parsed when it is JSON, undefined otherwise. */
  readonly body: unknown;
};

export type CallOptions = {
  /** Sent as JSON, or as it is when it is text. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

type Method = Dispatcher.HttpMethod;

/** Calls an API as its clients do, and keeps everything of the answer. */
export class Caller {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async call(method: Method, path: string, { body, headers = {} }: CallOptions = {}): Promise<Answer> {
    const sent = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await request(this.#url + path, {
      method,
      headers: { ...(sent === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(sent === undefined ? {} : { body: sent }),
    });
    const text = await response.body.text();
    return { status: response.statusCode, headers: response.headers, text, body: parsed(text) };
  }

  /** The JSON of a request that must succeed. */
  async must<T>(method: Method, path: string, body?: unknown): Promise<T> {
    const answer = await this.call(method, path, { body });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body as T;
  }

  /** Everything that mutating calls may change, in one text; not how far deployments are, which moves by itself. */
  async state(): Promise<string> {
    const paths = ['/v2/apps?embed=app.tasks', '/v2/groups'];
    const texts = await Promise.all(paths.map(async (path) => (await this.call('GET', path)).text));
    const running = await this.must<{ id: string }[]>('GET', '/v2/deployments');
    return [...texts, ...running.map(({ id }) => id)].join('\n');
  }

  /** What is wanted, which only a change that is accepted may change, and what is under way, which may only end. */
  async wanted(): Promise<{ readonly root: string; readonly deployments: ReadonlySet<string> }> {
    const running = await this.must<{ id: string }[]>('GET', '/v2/deployments');
    const paths = [
      '/v2/groups?embed=group.apps&embed=group.groups',
      '/v2/pods',
      '/v1/networks',
      '/v1/routes',
    ];
    const texts = await Promise.all(paths.map(async (path) => (await this.call('GET', path)).text));
    const root = texts.join('\n');
    return { root, deployments: new Set(running.map(({ id }) => id)) };
  }

  /** Asks again until the answer holds; for what follows a change without an event of its own. */
  async until<T>(path: string, holds: (body: T) => boolean): Promise<T> {
    const end = Date.now() + 10_000;
    for (;;) {
      const body = await this.must<T>('GET', path);
      if (holds(body)) return body;
      if (Date.now() > end) throw new Error(`GET ${path} still answers ${JSON.stringify(body)}`);
    }
  }

  /** Resolves when no deployment is under way. */
  async settled(): Promise<void> {
    const events = await this.events('event_type=deployment_success&event_type=deployment_failed');
    while ((await this.must<unknown[]>('GET', '/v2/deployments')).length > 0) await events.next();
    events.close();
  }

  /** Resolves when the event stream is attached. */
  events(query = ''): Promise<EventReader> {
    return EventReader.open(`${this.#url}/v2/events?${query}`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
