import type { Cluster, NetworkBackend, OwnShare } from '../backend.ts';
import { AddressesExhausted } from '../errors.ts';
import { keeping, noReservations, type Reservations, reservationKey, reserve } from './addresses.ts';

/** A backend whose kernel is a map. */
export type FakeBackend = NetworkBackend & {
  /** Subnets of the peers a network reaches, as `sync` left them; undefined when the network is not prepared. */
  peersOf(network: string): readonly string[] | undefined;
  /** Makes `prepare` and `sync` throw, until it is called with nothing. */
  fail(error?: Error): void;
  /** As if someone had changed the kernel by hand. */
  damage(network: string): void;
};

export function createFakeBackend(name = 'fake'): FakeBackend {
  const reached = new Map<string, readonly string[]>();
  const tables = new Map<string, Reservations>();
  let failure: Error | undefined;

  const put = ({ network }: OwnShare, peers: readonly string[]) => {
    if (failure !== undefined) throw failure;
    const before = reached.get(network.name);
    const same = before !== undefined && before.join() === peers.join();
    reached.set(network.name, peers);
    return {
      mtu: network.mtu ?? 1500,
      changes: same ? [] : [`peers of ${network.name}: ${peers.join(' ')}`],
    };
  };
  const ways = ({ peers }: Cluster) => peers.map(({ subnet, agentAddress }) => `${subnet} ${agentAddress}`);
  const table = (network: string) => tables.get(network) ?? noReservations;

  return {
    name,
    attaching: {
      kind: 'direct',
      async attach({ network, lease }, key) {
        const given = reserve(table(network.name), lease.subnet, reservationKey(key));
        if (given === undefined)
          throw new AddressesExhausted(network.name, key.instanceId, `${lease.subnet} is full`);
        tables.set(network.name, given.table);
        return given.address;
      },
      async detach(network, key) {
        tables.set(
          network,
          keeping(table(network), (held) => held !== reservationKey(key)),
        );
      },
      async recover(network, valid) {
        const live = new Set(valid.map(reservationKey));
        tables.set(
          network,
          keeping(table(network), (held) => live.has(held)),
        );
      },
    },
    prepare: async (share) => put(share, reached.get(share.network.name) ?? []),
    sync: async (share, cluster) => put(share, ways(cluster)),
    async inspect({ network }, cluster) {
      const ready = reached.get(network.name)?.join() === ways(cluster).join();
      return { ready, faults: ready ? [] : [`peers of ${network.name} differ`] };
    },
    async remove(network) {
      reached.delete(network.name);
      tables.delete(network.name);
    },
    peersOf: (network) => reached.get(network)?.map((way) => way.split(' ')[0] ?? ''),
    fail(error) {
      failure = error;
    },
    damage(network) {
      reached.set(network, ['damaged']);
    },
  };
}
