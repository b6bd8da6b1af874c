import type { Clock } from '../../core/kit/clock.ts';
import type { Certificate } from '../../core/model/certificate.ts';
import type {
  Authority,
  AuthorityAccount,
  CertificateOrder,
  Challenge,
  Issuance,
} from '../../core/model/issuance.ts';
import { AccountKey, newKey } from './account-key.ts';
import { challengeFor, probeFor } from './challenges.ts';
import { AcmeClient } from './client.ts';
import { AuthorityRefused, IssuanceFailed, PreflightFailed } from './failures.ts';
import type { Edges, IssuanceChange, IssuanceStore, Surroundings } from './ports.ts';
import { preflightFaults } from './preflight.ts';
import { certificateId, signingRequest } from './request.ts';
import type { AuthorizationInfo, OrderInfo } from './shapes.ts';

export type OrderingDependencies = {
  readonly store: IssuanceStore;
  readonly edges: Edges;
  readonly surroundings: Surroundings;
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly chance: () => number;
  /** Looks whether PEM chain and key are a usable certificate; throws what is wrong with it. */
  readonly check: (
    issuance: Issuance,
    given: { readonly chain: string; readonly key: string },
  ) => Certificate;
};

/** An order that took longer than this is given up. */
const orderMs = 15 * 60_000;
const firstPollMs = 500;
const lastPollMs = 5_000;

/** One way from what an operator wants to a certificate in the store, from wherever it stands. What fails is thrown. */
export class Ordering {
  readonly #parts: OrderingDependencies;
  readonly #issuance: Issuance;
  readonly #signal: AbortSignal;

  constructor(parts: OrderingDependencies, issuance: Issuance, signal: AbortSignal) {
    this.#parts = parts;
    this.#issuance = issuance;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const authority = this.#parts.store.read().authorities.get(this.#issuance.authority);
    if (authority === undefined)
      throw new IssuanceFailed(
        `No authority is called ${this.#issuance.authority}: name one with weir cert authority`,
      );
    const account = await this.#account(authority);
    const key = new AccountKey(account.key);
    const client = new AcmeClient(authority, key, account.url);
    try {
      if (this.#order.url === undefined) await this.#preflight(authority, client);
      if (account.url === undefined)
        await this.#commit({ account: { ...account, url: await client.register() } });
      await this.#follow(client, key);
    } catch (error) {
      await this.#forgetWhatIsGone(authority, error);
      throw error;
    } finally {
      await client.close();
    }
  }

  get #order(): CertificateOrder {
    const { name } = this.#issuance;
    return this.#parts.store.read().orders.get(name) ?? { name, failures: 0 };
  }

  /** The key is stored before the authority hears of it: an account must not get lost. */
  async #account(authority: Authority): Promise<AuthorityAccount> {
    const { name, directory } = authority;
    const known = this.#parts.store.read().accounts.get(name);
    if (known?.directory === directory) return known;
    const account: AuthorityAccount = { authority: name, directory, key: newKey() };
    await this.#commit({ account });
    return account;
  }

  async #preflight(authority: Authority, client: AcmeClient): Promise<void> {
    if (!this.#issuance.preflight) return;
    await this.#step('preflight');
    const { hosts } = this.#issuance;
    const { clock } = this.#parts;
    const probes = await Promise.all(hosts.map((host) => probeFor(this.#issuance, host, clock.now())));
    await this.#prove(probes);
    const { caaIdentities: identities } = await client.directory();
    const question = { issuance: this.#issuance, authority, identities, probes };
    const faults = await preflightFaults(this.#parts, question);
    if (faults.length > 0) throw new PreflightFailed(faults);
  }

  async #follow(client: AcmeClient, key: AccountKey): Promise<void> {
    const { url, key: certificateKey, hosts } = await this.#begun(client);
    for (let pause = firstPollMs; ; pause = Math.min(lastPollMs, pause * 2)) {
      const { info, retryAfterMs } = await client.order(url);
      if (info.status === 'invalid') throw new AuthorityRefused(`the order`, await reasonOf(client, info));
      if (info.status === 'valid') return this.#take(client, info, certificateKey);
      if (info.status === 'pending') await this.#authorize(client, key, info);
      if (info.status === 'ready') {
        await this.#step('finalizing');
        await client.finalize(info.finalize, await signingRequest(certificateKey, hosts));
      }
      if (this.#isLate) throw new IssuanceFailed('The authority did not come to an end in 15 minutes');
      if (info.status === 'processing') await this.#sleep(retryAfterMs ?? pause);
    }
  }

  async #begun(client: AcmeClient) {
    const { url, key, hosts } = this.#order;
    if (url !== undefined && key !== undefined && hosts !== undefined) return { url, key, hosts };
    await this.#step('ordering');
    const begun = {
      url: await client.newOrder(this.#issuance.hosts),
      key: newKey(),
      hosts: this.#issuance.hosts,
    };
    await this.#put({ ...begun, startedAt: this.#parts.clock.now() });
    return begun;
  }

  get #isLate(): boolean {
    const { startedAt = 0 } = this.#order;
    return this.#parts.clock.now() - startedAt > orderMs;
  }

  /** Resolves when no authorization waits any more, whatever came of them: the order says that. */
  async #authorize(client: AcmeClient, key: AccountKey, order: OrderInfo): Promise<void> {
    await this.#step('validating');
    const all = await Promise.all(
      order.authorizations.map(async (url) => ({ url, info: (await client.authorization(url)).info })),
    );
    const pending = all.filter(({ info }) => info.status === 'pending');
    if (pending.length === 0) return this.#sleep(firstPollMs);
    const asked = pending.map(({ info }) => wanted(info, this.#issuance));
    const now = this.#parts.clock.now();
    await this.#prove(
      await Promise.all(
        asked.map(({ host, token }) =>
          challengeFor(this.#issuance, { host, token, authorization: key.authorization(token) }, now),
        ),
      ),
    );
    // After a change of leaders it may be on its way already.
    for (const { url, status } of asked) if (status === 'pending') await client.answered(url);
    for (const { url } of pending) await this.#settled(client, url);
  }

  async #settled(client: AcmeClient, authorization: string): Promise<void> {
    for (let pause = firstPollMs; ; pause = Math.min(lastPollMs, pause * 2)) {
      const { info, retryAfterMs } = await client.authorization(authorization);
      if (info.status !== 'pending') return;
      if (this.#isLate) throw new IssuanceFailed(`The authority does not look at ${info.host}`);
      await this.#sleep(retryAfterMs ?? pause);
    }
  }

  /** Every edge must be ready to answer before the authority is told to look: it asks one of them, or several. */
  async #prove(challenges: readonly Challenge[]): Promise<void> {
    const { store, edges } = this.#parts;
    await store.commit({ challenges });
    if (edges.addresses.length === 0)
      throw new PreflightFailed(['no edge is connected: start one with weir agent --edge']);
    const slow = await edges.inForce(this.#signal);
    if (slow.length > 0)
      throw new PreflightFailed([`the challenge is not in force yet on ${slow.join(', ')}`]);
  }

  async #take(client: AcmeClient, order: OrderInfo, key: string): Promise<void> {
    if (order.certificate === undefined)
      throw new IssuanceFailed('The authority issued, but does not say where the certificate is');
    const chain = await client.certificate(order.certificate);
    const certificate = this.#parts.check(this.#issuance, { chain, key });
    const renewAt = await this.#wishedRenewal(client, chain);
    const { store, clock } = this.#parts;
    // Removed meanwhile: nobody wants it any more.
    if (!store.read().issuances.has(this.#issuance.name)) return;
    await store.commit({
      certificate,
      order: { name: this.#issuance.name, issuedAt: clock.now(), failures: 0, ...renewAt },
      challengesGone: challengesOf(store, this.#issuance.name),
    });
  }

  /** Somewhere in the time that the authority would like, so that not all come at once. Nothing depends on it. */
  async #wishedRenewal(client: AcmeClient, chain: string): Promise<{ renewAt?: number }> {
    const id = await certificateId(chain).catch(() => undefined);
    const window = id === undefined ? undefined : await client.renewalWindow(id).catch(() => undefined);
    if (window === undefined) return {};
    const { start, end } = window;
    return { renewAt: Math.floor(start + (end - start) * this.#parts.chance()) };
  }

  /** An authority that lost its memory (or another one at the same address) knows neither account nor order. */
  async #forgetWhatIsGone({ name }: Authority, error: unknown): Promise<void> {
    if (!(error instanceof AuthorityRefused) || error.type !== 'accountDoesNotExist') return;
    const known = this.#parts.store.read().accounts.get(name);
    if (known === undefined) return;
    const { url: _, ...account } = known;
    await this.#commit({ account });
  }

  #step(step: NonNullable<CertificateOrder['step']>): Promise<void> {
    return this.#order.step === step ? Promise.resolve() : this.#put({ step });
  }

  #put(change: Partial<CertificateOrder>): Promise<void> {
    return this.#commit({ order: { ...this.#order, ...change } });
  }

  #commit(change: IssuanceChange): Promise<void> {
    return this.#parts.store.commit(change);
  }

  #sleep(ms: number): Promise<void> {
    return this.#parts.clock.sleep(ms, this.#signal);
  }
}

export function challengesOf(store: Pick<IssuanceStore, 'read'>, issuance: string): readonly string[] {
  return [...store.read().challenges.values()]
    .filter((one) => one.issuance === issuance)
    .map(({ key }) => key);
}

function wanted({ host, challenges }: AuthorizationInfo, { challenge }: Issuance) {
  const found = challenges.find(({ type }) => type === challenge);
  if (found !== undefined) return { ...found, host };
  const offered = challenges.map(({ type }) => type).join(', ');
  throw new IssuanceFailed(`The authority does not look at ${host} by ${challenge}; it offers ${offered}`);
}

/** The order's own words are few; the challenge that failed says what the authority saw. */
async function reasonOf(client: AcmeClient, { authorizations, error }: OrderInfo) {
  const said: string[] = [];
  let type = error?.type ?? 'unknown';
  for (const url of authorizations) {
    const { info } = await client.authorization(url);
    for (const challenge of info.challenges) {
      if (challenge.error === undefined) continue;
      type = challenge.error.type;
      said.push(`${info.host}: ${challenge.error.detail}`);
    }
  }
  return { type, detail: said.length > 0 ? said.join('; ') : (error?.detail ?? 'no reason given') };
}
