import type { IncomingMessage } from 'node:http';
import { apiTarget } from '../../core/kit/basic-authorization.ts';
import { errorText } from '../../core/kit/errors.ts';
import { NoMaster, Refused } from './errors.ts';

export const defaultMaster = 'http://127.0.0.1:8080';
/** Longer than the API's own patience with a silent agent, so that its words reach us. */
const patienceMs = 30_000;

export type Ask = {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
};

/**
 * The API as the CLI speaks it. On node:http and not undici: that alone would take 100 ms of every command.
 * Every method throws NoMaster and Refused.
 */
export class Master {
  readonly url: string;
  readonly #next: { readonly next?: string };

  readonly #authorization: { readonly authorization?: string };

  /** `next`: what a person should do when it does not answer. `credentials`: `user:password`; those in the URL come first. */
  constructor(text: string, { next, credentials }: { next?: string; credentials?: string } = {}) {
    this.#next = next === undefined ? {} : { next };
    if (!URL.canParse(text) || !/^https?:/.test(text))
      throw new NoMaster(text, 'it is no URL', { next: `Give one such as ${defaultMaster}.` });
    const { url, ...authorization } = apiTarget(text, credentials);
    this.url = url;
    this.#authorization = authorization;
  }

  get<T>(path: string, ask: Ask = {}): Promise<T> {
    return this.send<T>('GET', path, ask);
  }

  /** The answer's JSON, taken for a T; an empty answer gives undefined. */
  async send<T>(method: string, path: string, ask: Ask = {}): Promise<T> {
    return (await this.submit<T>(method, path, ask)).answer;
  }

  /** As `send`, with the deployment that the answer's head names: changes of pods tell it nowhere else. */
  async submit<T>(
    method: string,
    path: string,
    { query = {}, body }: Ask = {},
  ): Promise<{ answer: T; deployment: string | undefined }> {
    const url = new URL(this.url + path);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const { status, text, deployment } = await this.#exchange(method, url, body);
    if (status >= 300) throw new Refused(status, text, `${method} ${path}`);
    try {
      return { answer: (text === '' ? undefined : JSON.parse(text)) as T, deployment };
    } catch (error) {
      throw new NoMaster(this.url, `${method} ${path} was not answered with JSON`, { cause: error });
    }
  }

  async #exchange(method: string, url: URL, body: unknown): Promise<Exchanged> {
    const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
    const payload = body === undefined ? undefined : JSON.stringify(body);
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const headers = {
          ...this.#authorization,
          ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        };
        const sent = request(url, { method, headers, timeout: patienceMs }, resolve);
        sent.on('timeout', () => sent.destroy(new Error(`no answer within ${patienceMs / 1000} s`)));
        sent.on('error', reject);
        sent.end(payload);
      });
      const deployment = response.headers['marathon-deployment-id'];
      return {
        status: response.statusCode ?? 0,
        text: await textOf(response),
        deployment: typeof deployment === 'string' ? deployment : undefined,
      };
    } catch (error) {
      throw new NoMaster(this.url, reasonOf(error), { cause: error, ...this.#next });
    }
  }
}

type Exchanged = {
  readonly status: number;
  readonly text: string;
  readonly deployment: string | undefined;
};

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}

/** Several addresses tried give an error without words of its own. */
function reasonOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return errorText(first);
}
