import { type Dispatcher, Agent as HttpAgent, request } from 'undici';
import type { Authority } from '../../core/model/issuance.ts';
import type { AccountKey, Signer } from './account-key.ts';
import { AuthorityRefused, AuthorityUnreachable } from './failures.ts';
import {
  type AuthorizationInfo,
  type DirectoryInfo,
  type OrderInfo,
  readAuthorization,
  readDirectory,
  readOrder,
  readProblem,
} from './shapes.ts';

/** With half of all nonces refused, a request comes through but once in a million. */
const nonceTries = 20;
const answerMs = 30_000;
const mostBodyBytes = 1_000_000;

type Answer = {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly text: string;
};

export type Polled<T> = { readonly info: T; readonly retryAfterMs: number | undefined };

/** An ACME authority over HTTP (RFC 8555), as seen with one account. Throws AuthorityRefused and AuthorityUnreachable. */
export class AcmeClient {
  readonly #authority: Authority;
  readonly #key: AccountKey;
  readonly #http: HttpAgent;
  #account: string | undefined;
  #directory: DirectoryInfo | undefined;
  #nonces: string[] = [];

  /** `account`: its URL; absent: it is registered first. */
  constructor(authority: Authority, key: AccountKey, account?: string) {
    this.#authority = authority;
    this.#key = key;
    this.#account = account;
    const trust = authority.trust === undefined ? {} : { ca: authority.trust };
    this.#http = new HttpAgent({
      connect: { timeout: 10_000, ...trust },
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
      keepAliveTimeout: 1_000,
    });
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  async directory(): Promise<DirectoryInfo> {
    if (this.#directory !== undefined) return this.#directory;
    const { directory } = this.#authority;
    const { status, text } = await this.#exchange('GET', directory);
    const info = status < 300 ? readDirectory(parsed(text)) : undefined;
    if (info === undefined) throw new AuthorityUnreachable(directory, `no ACME directory (${status})`);
    this.#directory = info;
    return info;
  }

  /** Gives the account's URL; the same one whenever the key is the same. */
  async register(): Promise<string> {
    const { newAccount, wantsExternalAccount } = await this.directory();
    const { contact, externalAccount } = this.#authority;
    if (wantsExternalAccount && externalAccount === undefined)
      throw new AuthorityRefused('an account', {
        type: 'externalAccountRequired',
        detail: 'it wants an account that it knows already: --eab-key-id and --eab-key-file',
      });
    const binding = externalAccount && {
      externalAccountBinding: this.#key.bind(externalAccount, newAccount),
    };
    const body = {
      termsOfServiceAgreed: true,
      ...(contact === undefined ? {} : { contact: [`mailto:${contact}`] }),
      ...binding,
    };
    this.#account = undefined;
    const { headers } = await this.#post(newAccount, body, 'an account');
    this.#account = location(headers, newAccount);
    return this.#account;
  }

  async newOrder(hosts: readonly string[]): Promise<string> {
    const { newOrder } = await this.directory();
    const identifiers = hosts.map((value) => ({ type: 'dns', value }));
    const { headers } = await this.#post(newOrder, { identifiers }, `an order for ${hosts.join(', ')}`);
    return location(headers, newOrder);
  }

  async order(url: string): Promise<Polled<OrderInfo>> {
    const answer = await this.#post(url, undefined, 'to show the order');
    return { info: readOrder(parsed(answer.text)), retryAfterMs: retryAfter(answer) };
  }

  async authorization(url: string): Promise<Polled<AuthorizationInfo>> {
    const answer = await this.#post(url, undefined, 'to show the authorization');
    return { info: readAuthorization(parsed(answer.text)), retryAfterMs: retryAfter(answer) };
  }

  /** From now on the authority may look. */
  async answered(challenge: string): Promise<void> {
    await this.#post(challenge, {}, 'the challenge');
  }

  /** `csr`: DER. */
  async finalize(url: string, csr: Buffer): Promise<void> {
    await this.#post(url, { csr: csr.toString('base64url') }, 'to issue');
  }

  /** PEM, the server's own first. */
  async certificate(url: string): Promise<string> {
    return (await this.#post(url, undefined, 'the certificate')).text;
  }

  /** When it would like this certificate to be renewed, ms since the epoch (RFC 9773); undefined: it does not say. */
  async renewalWindow(certificateId: string): Promise<{ start: number; end: number } | undefined> {
    const { renewalInfo } = await this.directory();
    if (renewalInfo === undefined) return undefined;
    const { status, text } = await this.#exchange('GET', `${renewalInfo}/${certificateId}`);
    const body = parsed(text);
    if (status !== 200 || typeof body !== 'object' || body === null) return undefined;
    const window: unknown = Reflect.get(body, 'suggestedWindow');
    if (typeof window !== 'object' || window === null) return undefined;
    const [start, end] = ['start', 'end'].map((name) => Date.parse(String(Reflect.get(window, name))));
    return start !== undefined && end !== undefined && end >= start ? { start, end } : undefined;
  }

  /** A nonce that is refused brings the next one with it (RFC 8555 §6.5). */
  async #post(url: string, payload: unknown, what: string): Promise<Answer> {
    for (let tried = 1; ; tried += 1) {
      const nonce = this.#nonces.pop() ?? (await this.#newNonce());
      const signer: Signer = this.#account === undefined ? { jwk: this.#key.jwk } : { kid: this.#account };
      const answer = await this.#exchange('POST', url, this.#key.sign({ ...signer, url, nonce }, payload));
      if (answer.status < 300) return answer;
      const problem = readProblem(parsed(answer.text));
      if (problem?.type === 'badNonce' && tried < nonceTries) continue;
      if (problem === undefined || answer.status >= 500)
        throw new AuthorityUnreachable(url, `${answer.status} ${problem?.detail ?? ''}`.trim());
      throw new AuthorityRefused(what, problem, {
        status: answer.status,
        retryAfterMs: retryAfter(answer),
      });
    }
  }

  async #newNonce(): Promise<string> {
    const { newNonce } = await this.directory();
    await this.#exchange('HEAD', newNonce);
    const nonce = this.#nonces.pop();
    if (nonce === undefined) throw new AuthorityUnreachable(newNonce, 'it gives no nonce');
    return nonce;
  }

  async #exchange(method: 'GET' | 'HEAD' | 'POST', url: string, body?: object): Promise<Answer> {
    try {
      const response = await request(url, {
        method,
        dispatcher: this.#http,
        headers: { 'user-agent': 'weir', ...(body && { 'content-type': 'application/jose+json' }) },
        ...(body && { body: JSON.stringify(body) }),
      });
      const nonce = response.headers['replay-nonce'];
      if (typeof nonce === 'string') this.#nonces = [nonce];
      const text = await limited(response.body);
      return { status: response.statusCode, headers: response.headers, text };
    } catch (error) {
      throw new AuthorityUnreachable(url, error instanceof Error ? error.message : String(error), error);
    }
  }
}

async function limited(body: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  for await (const chunk of body) {
    text += String(chunk);
    if (text.length > mostBodyBytes) throw new Error('the answer is too long');
  }
  return text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function location({ location: url }: Answer['headers'], from: string): string {
  if (typeof url === 'string') return new URL(url, from).href;
  throw new AuthorityUnreachable(from, 'its answer names no Location');
}

/** RFC 9110 §10.2.3: seconds, or a date, which is by the authority's clock. */
function retryAfter({ headers }: Answer): number | undefined {
  const { 'retry-after': value, date } = headers;
  if (typeof value !== 'string') return undefined;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(value) - Date.parse(String(date));
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}
