import { type Dispatcher, Agent as HttpAgent, request } from 'undici';
import { type ApiTarget, apiTarget } from '../core/kit/basic-authorization.ts';
import { WeirError } from '../core/kit/errors.ts';
import type { Agent } from '../core/model/agent.ts';
import type { AgentId } from '../core/model/ids.ts';
import type {
  AgentAnswer,
  AgentReport,
  HeldDirectory,
  MasterMessage,
  MasterPort,
} from '../core/model/master-port.ts';
import type { Lease } from '../core/model/network.ts';

/** The master answered with an error, or not at all. */
export class MasterUnreachable extends WeirError {
  constructor(url: string, detail: string, cause?: unknown) {
    super('WEIR_MASTER_UNREACHABLE', `Cannot talk to the master at ${url}: ${detail}`, {
      cause,
      next: 'Is it running? Start it with `weir dev` or `weir master`, or name another with --master.',
    });
  }
}

/** A master that says nothing for this long (it pings every 2 s) is taken for gone. */
const silenceMs = 8_000;

export type ClientOptions = {
  readonly credentials?: string | undefined;
  readonly joinSecret?: () => string | undefined;
};

/** The masters as agents see them, over HTTP: any of them will do, since those that wait hand on what they are asked. */
export class MasterClient implements MasterPort {
  readonly #targets: readonly ApiTarget[];
  readonly #joinSecret: () => string | undefined;
  #current = 0;
  readonly #http = new HttpAgent({
    connect: { timeout: 3_000 },
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
  });

  /** `credentials`: `user:password`; those in a URL come first. `joinSecret`: what an edge proves itself with. */
  constructor(urls: readonly string[], { credentials, joinSecret = () => undefined }: ClientOptions = {}) {
    this.#joinSecret = joinSecret;
    this.#targets = urls.map((url) => apiTarget(url, credentials));
  }

  /** The master that is talked to now. */
  get #target(): ApiTarget {
    return this.#targets[this.#current] ?? { url: '' };
  }

  async *connect(agent: Agent, held: HeldDirectory, signal: AbortSignal): AsyncIterable<MasterMessage> {
    const response = await this.#send(
      `/v1/agents/${encodeURIComponent(agent.id)}/stream?since=${held.revision}&store=${encodeURIComponent(held.store ?? '')}`,
      agent,
      signal,
    );
    let rest = '';
    response.body.setEncoding('utf8');
    for await (const chunk of response.body) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line) as MasterMessage;
    }
    throw new MasterUnreachable(this.#target.url, 'it closed the connection');
  }

  async report(agent: AgentId, report: AgentReport): Promise<void> {
    const response = await this.#send(`/v1/agents/${encodeURIComponent(agent)}/report`, report);
    await response.body.dump();
  }

  async answer(agent: AgentId, id: string, answer: AgentAnswer): Promise<void> {
    const response = await this.#send(`/v1/agents/${encodeURIComponent(agent)}/answers/${id}`, answer);
    await response.body.dump();
  }

  async lease(agent: AgentId, network: string): Promise<Lease> {
    const response = await this.#send(`/v1/agents/${encodeURIComponent(agent)}/leases/${network}`, {});
    return (await response.body.json()) as Lease;
  }

  async #send(path: string, body: object, signal?: AbortSignal): Promise<Dispatcher.ResponseData> {
    const target = this.#target;
    const { url, authorization } = target;
    const secret = this.#joinSecret();
    const response = await request(url + path, {
      method: 'POST',
      dispatcher: this.#http,
      headers: {
        'content-type': 'application/json',
        ...(authorization === undefined ? {} : { authorization }),
        ...(secret === undefined ? {} : { 'weir-join-secret': secret }),
      },
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    }).catch((error: unknown) => {
      if (signal?.aborted !== true) this.#turnFrom(target);
      throw new MasterUnreachable(url, error instanceof Error ? error.message : String(error), error);
    });
    if (response.statusCode < 300) return response;
    const { message, code } = problemIn(await response.body.text());
    // The master's own refusal (a full address pool) keeps its code: whoever asked may know what to do about it.
    if (code !== undefined) throw new WeirError(code, message);
    if (response.statusCode === 502) this.#turnFrom(target);
    throw new MasterUnreachable(url, `${path} was answered with ${response.statusCode}: ${message}`);
  }

  /** The next one is asked from now on, unless another failure has led away from this one already. */
  #turnFrom(target: ApiTarget): void {
    if (target === this.#target) this.#current = (this.#current + 1) % this.#targets.length;
  }
}

function problemIn(text: string): { message: string; code?: string } {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'message' in body) {
      const code = 'code' in body && typeof body.code === 'string' ? { code: body.code } : {};
      return { message: String(body.message), ...code };
    }
  } catch {
    // Not ours: shown as it is.
  }
  return { message: text.slice(0, 300) };
}
