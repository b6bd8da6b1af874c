import { createHmac, createPublicKey, verify, webcrypto } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { loadX509 } from '../../edge/tls/issue.ts';
import { record } from '../shapes.ts';

type Answer = { readonly status?: number; readonly body?: object | string; readonly location?: string };
type Message = {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
};

const curve = { name: 'ECDSA', namedCurve: 'P-256' };

/** An authority in this process: one account, one order; it refuses every second nonce and verifies every signature. */
export class FakeAuthority {
  /** What it was asked for, in order. */
  readonly asked: string[] = [];
  /** Until then it goes on looking. */
  looks = true;
  /** base64url; set: it wants an account that it knows by it. */
  externalKey: string | undefined;
  /** What the account showed of it. */
  bound: unknown;
  readonly #server = createServer((request, response) => {
    void this.#take(request).then(({ status = 200, body, location }) => {
      this.#nonces += 1;
      const headers = { 'replay-nonce': `n${this.#nonces}`, ...(location && { location }) };
      response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body ?? {}));
    });
  });
  #url = '';
  #nonces = 0;
  #key: object | undefined;
  #hosts: readonly string[] = [];
  #certificate: string | undefined;

  get directory(): string {
    return `${this.#url}/dir`;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    this.#url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage): Promise<Answer> {
    const path = request.url ?? '';
    if (path === '/dir') return { body: this.#directory() };
    if (path.startsWith('/ari/'))
      return { body: { suggestedWindow: { start: '2030-01-01T00:00:00Z', end: '2030-01-01T00:00:00Z' } } };
    if (request.method === 'HEAD') return {};
    const { header, payload } = await this.#verified(request);
    if (header['nonce'] !== `n${this.#nonces}` || this.#nonces % 2 === 1)
      return { status: 400, body: { type: 'urn:ietf:params:acme:error:badNonce', detail: 'again' } };
    this.asked.push(path);
    return this.#answer(path, payload);
  }

  #directory(): object {
    const urls = Object.fromEntries(
      ['newNonce', 'newAccount', 'newOrder'].map((name) => [name, `${this.#url}/${name}`]),
    );
    return {
      ...urls,
      renewalInfo: `${this.#url}/ari`,
      meta: { externalAccountRequired: this.externalKey !== undefined },
    };
  }

  async #answer(path: string, payload: Message['payload']): Promise<Answer> {
    const order = { finalize: `${this.#url}/finalize`, authorizations: [`${this.#url}/authorization`] };
    switch (path) {
      case '/newAccount':
        this.bound = this.#binding(payload['externalAccountBinding']);
        return { status: 201, location: '/account/1' };
      case '/newOrder':
        this.#hosts = (payload['identifiers'] as readonly { readonly value: string }[]).map(
          ({ value }) => value,
        );
        return { status: 201, location: '/order', body: { ...order, status: 'pending' } };
      case '/order': {
        const status = this.#certificate === undefined ? (this.looks ? 'pending' : 'ready') : 'valid';
        return { body: { ...order, status, certificate: `${this.#url}/certificate` } };
      }
      case '/authorization': {
        const challenge = {
          type: 'http-01',
          url: `${this.#url}/challenge`,
          token: 'token',
          status: 'pending',
        };
        const status = this.looks ? 'pending' : 'valid';
        return { body: { status, identifier: { value: this.#hosts[0] }, challenges: [challenge] } };
      }
      case '/finalize':
        this.#certificate = await issued(String(payload['csr']), this.#hosts);
        return {};
      case '/certificate':
        return { body: this.#certificate ?? '' };
    }
    return {};
  }

  #binding(message: unknown): unknown {
    if (this.externalKey === undefined) return undefined;
    const { protected: head, payload, signature } = record(message);
    const hmac = createHmac('sha256', Buffer.from(this.externalKey, 'base64url')).update(
      `${head}.${payload}`,
    );
    return hmac.digest('base64url') === signature ? decoded(head)['kid'] : undefined;
  }

  async #verified(request: IncomingMessage): Promise<Message> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { protected: head, payload, signature } = record(JSON.parse(text));
    const header = decoded(head);
    if (header['url'] !== this.#url + request.url) throw new Error('signed for another place');
    this.#key ??= record(header['jwk']);
    const key = {
      key: createPublicKey({ key: this.#key as webcrypto.JsonWebKey, format: 'jwk' }),
      dsaEncoding: 'ieee-p1363',
    } as const;
    if (
      !verify('sha256', Buffer.from(`${head}.${payload}`), key, Buffer.from(String(signature), 'base64url'))
    )
      throw new Error('not signed by the account');
    return { header, payload: payload === '' ? {} : decoded(payload) };
  }
}

function decoded(part: unknown): Readonly<Record<string, unknown>> {
  return record(JSON.parse(Buffer.from(String(part), 'base64url').toString('utf8')));
}

async function issued(request: string, hosts: readonly string[]): Promise<string> {
  const x509 = await loadX509();
  const { publicKey } = new x509.Pkcs10CertificateRequest(Buffer.from(request, 'base64url'));
  const keys = await webcrypto.subtle.generateKey(curve, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      ...{
        serialNumber: 'f001',
        subject: 'CN=shop',
        issuer: 'CN=fake',
        publicKey,
        signingKey: keys.privateKey,
      },
      ...{ notBefore: new Date('2026-01-01'), notAfter: new Date('2026-04-01') },
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [
        new x509.SubjectAlternativeNameExtension(hosts.map((value) => ({ type: 'dns', value }) as const)),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    webcrypto,
  );
  return certificate.toString('pem');
}
