import { readCertificate } from '../../api/read-certificate.ts';
import type { Clock } from '../../core/kit/clock.ts';
import type { Log } from '../../core/kit/log.ts';
import type { Part } from '../../core/kit/part.ts';
import type { Certificate } from '../../core/model/certificate.ts';
import type { Directory } from '../../core/model/directory.ts';
import type { Issuance } from '../../core/model/issuance.ts';
import type { Database } from '../../core/state/database.ts';
import type { Presence } from '../../core/state/presence.ts';
import type { DirectoryPublisher } from '../../core/state/publisher.ts';
import type { Write } from '../../core/state/store.ts';
import { IssuanceFailed } from '../../lb/acme/failures.ts';
import type { Edges, IssuanceChange, IssuanceStore } from '../../lb/acme/ports.ts';

export type IssuingDependencies = {
  readonly database: Database;
  readonly presence: Presence;
  readonly publisher: DirectoryPublisher;
  readonly clock: Clock;
  readonly log: Log;
};

/** An edge that is connected, but does not say so long that it has a challenge, is not waited for. */
const inForceMs = 15_000;
const wishes = ['issuances', 'authorities', 'certificates'];

/** Orders certificates while this master leads; loaded when the first one is wanted, for it brings much with it. */
export function issuing(dependencies: IssuingDependencies): Part {
  const { database, clock, log } = dependencies;
  let loading: Promise<Part> | undefined;
  let end = () => {};
  const load = async () => {
    const { Issuer } = await import('../../lb/acme/issuer.ts');
    const { realSurroundings } = await import('../../lb/acme/surroundings.ts');
    const issuer = new Issuer({
      store: issuanceStore(dependencies),
      edges: edgesOf(dependencies),
      surroundings: realSurroundings,
      clock,
      log,
      chance: Math.random,
      check: (issuance, given) => checked(issuance, given, clock.now()),
    });
    await issuer.start();
    return issuer;
  };
  const look = () => {
    if (database.snapshot.table('issuances').size > 0) loading ??= load();
  };
  return {
    async start() {
      end = database.onChange(look);
      look();
    },
    async stop() {
      end();
      const started = await loading;
      loading = undefined;
      await started?.stop();
    },
  };
}

function issuanceStore({ database }: IssuingDependencies): IssuanceStore {
  return {
    read() {
      const { snapshot } = database;
      return {
        authorities: snapshot.table('authorities'),
        issuances: snapshot.table('issuances'),
        accounts: snapshot.table('accounts'),
        orders: snapshot.table('orders'),
        challenges: snapshot.table('challenges'),
        certificates: snapshot.table('certificates'),
      };
    },
    async commit(change) {
      await database.commit(writesOf(change));
    },
    onChange: (listener) =>
      database.onChange(({ records }) => {
        if (records.some(({ table }) => wishes.includes(table))) listener();
      }),
  };
}

function writesOf(change: IssuanceChange): readonly Write[] {
  const { account, order, orderGone, challenges = [], challengesGone = [], certificate } = change;
  return [
    ...(account ? [{ kind: 'put', table: 'accounts', key: account.authority, value: account } as const] : []),
    ...(order ? [{ kind: 'put', table: 'orders', key: order.name, value: order } as const] : []),
    ...(orderGone === undefined ? [] : [{ kind: 'delete', table: 'orders', key: orderGone } as const]),
    ...challenges.map((value) => ({ kind: 'put', table: 'challenges', key: value.key, value }) as const),
    ...challengesGone.map((key) => ({ kind: 'delete', table: 'challenges', key }) as const),
    ...(certificate
      ? [{ kind: 'put', table: 'certificates', key: certificate.name, value: certificate } as const]
      : []),
  ];
}

function edgesOf({ database, presence, publisher, clock }: IssuingDependencies): Edges {
  const connected = () =>
    [...database.snapshot.table('agents').values()].filter(
      ({ id, edge }) => edge && presence.agents.get(id)?.connected === true,
    );
  const lagging = (revision: number) =>
    connected().filter(({ id }) => {
      const { acks = {}, withoutKeys } = presence.agents.get(id) ?? {};
      return withoutKeys || (acks['edge'] ?? 0) < revision;
    });
  return {
    get addresses() {
      return connected().map(({ hostname: name, address }) => ({ name, address }));
    },
    isRouted: (host) => isRouted(publisher.directory, host),
    async inForce(signal) {
      const { revision } = publisher.directory;
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => {
        if (lagging(revision).length === 0) resolve();
      };
      const end = presence.onChange(look);
      const over = new AbortController();
      look();
      const late = clock.sleep(inForceMs, AbortSignal.any([over.signal, signal])).catch(() => {});
      await Promise.race([promise, late]);
      over.abort();
      end();
      signal.throwIfAborted();
      return lagging(revision).map(({ id, hostname }) =>
        presence.agents.get(id)?.withoutKeys ? `${hostname} (which has no join secret)` : hostname,
      );
    },
  };
}

function isRouted({ routes }: Directory, host: string): boolean {
  const wildcard = `*${host.slice(host.indexOf('.'))}`;
  return routes.values().some((route) => [host, wildcard, '*'].includes(route.host));
}

function checked(
  issuance: Issuance,
  { chain, key }: { readonly chain: string; readonly key: string },
  now: number,
): Certificate {
  const { name, hosts, default: isDefault } = issuance;
  const read = readCertificate({ name, certificate: chain, key, ...(isDefault && { default: true }) }, now);
  if (read.kind === 'faults') {
    const faults = read.faults.map(({ path, errors }) => `${path} ${errors.join(', ')}`).join('; ');
    throw new IssuanceFailed(`The authority's certificate cannot be used: ${faults}`);
  }
  const missing = hosts.filter((host) => !read.certificate.hosts.includes(host));
  if (missing.length > 0)
    throw new IssuanceFailed(`The authority's certificate is not for ${missing.join(', ')}`);
  return read.certificate;
}
