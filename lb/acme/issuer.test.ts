import { X509Certificate } from 'node:crypto';
import t, { type Test } from 'tap';
import { systemClock } from '../../core/kit/clock.ts';
import { silentLog } from '../../core/kit/log.ts';
import type { Authority, Issuance } from '../../core/model/issuance.ts';
import { Issuer } from './issuer.ts';
import type { IssuanceChange, IssuanceStore, IssuanceTables } from './ports.ts';
import { FakeAuthority } from './testing/fake-authority.ts';

/** Tables in memory that outlive the issuers of a test. */
class Tables implements IssuanceStore {
  readonly #tables = {
    authorities: new Map(),
    issuances: new Map(),
    accounts: new Map(),
    orders: new Map(),
    challenges: new Map(),
    certificates: new Map(),
  } satisfies IssuanceTables;
  readonly #watchers = new Set<() => void>();

  want(authority: Authority, issuance: Issuance): void {
    this.#tables.authorities.set(authority.name, authority);
    this.#tables.issuances.set(issuance.name, issuance);
  }

  read(): IssuanceTables {
    return this.#tables;
  }

  async commit({ account, order, certificate, ...change }: IssuanceChange): Promise<void> {
    const { accounts, orders, challenges, certificates } = this.#tables;
    if (account) accounts.set(account.authority, account);
    if (order) orders.set(order.name, order);
    if (certificate) certificates.set(certificate.name, certificate);
    for (const challenge of change.challenges ?? []) challenges.set(challenge.key, challenge);
    for (const key of change.challengesGone ?? []) challenges.delete(key);
    for (const watcher of this.#watchers) watcher();
  }

  onChange(): () => void {
    return () => {};
  }

  /** Resolves when it is so; the test's own timeout is the deadline. */
  async until(isSo: (tables: IssuanceTables) => boolean): Promise<void> {
    if (isSo(this.#tables)) return;
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!isSo(this.#tables)) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
    });
  }
}

const issuance: Issuance = {
  ...{ name: 'shop', hosts: ['shop.test'], challenge: 'http-01', authority: 'default' },
  ...{ preflight: false, requestedAt: 1 },
};

async function setUp(t: Test, more: Partial<Authority> = {}) {
  const authority = new FakeAuthority();
  await authority.start();
  t.teardown(() => authority.stop());
  const tables = new Tables();
  tables.want({ name: 'default', directory: authority.directory, ...more }, issuance);
  const leader = () =>
    new Issuer({
      ...{ store: tables, clock: systemClock, log: silentLog, chance: () => 0 },
      edges: {
        addresses: [{ name: 'h1', address: '192.0.2.1' }],
        isRouted: () => true,
        inForce: async () => [],
      },
      surroundings: { addresses: async () => [], caa: async () => [], prove: async () => undefined },
      check: ({ name, hosts }, { chain, key }) => ({ name, hosts, chain, key, notBefore: 0, notAfter: 9e12 }),
    });
  return { authority, tables, leader };
}

t.test('a leader that stops is followed by one that goes on with its order', async (t) => {
  const { authority, tables, leader } = await setUp(t);
  const first = leader();
  await first.start();
  await tables.until(({ challenges }) => challenges.size === 1);
  await first.stop();
  t.match(tables.read().orders.get('shop'), { url: /\/order$/, step: 'validating', failures: 0 });
  const challenge = tables.read().challenges.get('shop/shop.test');
  t.match(
    challenge,
    { type: 'http-01', token: 'token', content: /^token\.[\w-]{43}$/ },
    'edges go on answering',
  );
  authority.looks = false;
  const second = leader();
  await second.start();
  await tables.until(({ certificates }) => certificates.size === 1);
  await second.stop();
  const orders = authority.asked.filter((path) => path === '/newOrder' || path === '/newAccount');
  t.same(orders, ['/newAccount', '/newOrder'], 'one account, one order');
  const { chain = '', key = '' } = tables.read().certificates.get('shop') ?? {};
  const { createPrivateKey } = await import('node:crypto');
  t.ok(new X509Certificate(chain).checkPrivateKey(createPrivateKey(key)), 'for the key that is stored');
  t.equal(tables.read().challenges.size, 0);
  t.match(
    tables.read().orders.get('shop'),
    { failures: 0, renewAt: Date.UTC(2030, 0, 1) },
    'when the authority wants',
  );
});

t.test('an authority that wants an account that it knows is shown it', async (t) => {
  const key = Buffer.from('a key of the authority').toString('base64url');
  const { authority, tables, leader } = await setUp(t, { externalAccount: { keyId: 'kid-1', key } });
  authority.externalKey = key;
  authority.looks = false;
  const issuer = leader();
  await issuer.start();
  await tables.until(({ certificates }) => certificates.size === 1);
  await issuer.stop();
  t.equal(authority.bound, 'kid-1');
});

t.test('an authority that wants such an account, and none was named, is not asked for one', async (t) => {
  const { authority, tables, leader } = await setUp(t);
  authority.externalKey = 'x';
  const issuer = leader();
  await issuer.start();
  await tables.until(({ orders }) => orders.get('shop')?.lastFailure !== undefined);
  await issuer.stop();
  t.match(tables.read().orders.get('shop')?.lastFailure, {
    code: 'WEIR_AUTHORITY_REFUSED',
    reason: /--eab-key-id and --eab-key-file/,
  });
  t.same(authority.asked, []);
});
