import { join } from 'node:path';
import type { DirectAttaching, NetworkBackend, OwnShare } from '../backend.ts';
import { AddressesExhausted } from '../errors.ts';
import {
  keeping,
  type Reservations,
  readReservations,
  removeReservations,
  reservationKey,
  reserve,
  writeReservations,
} from './addresses.ts';

export type LoopbackOptions = {
  /** One file of reservations for each network is kept here. */
  readonly dir: string;
};

/** Linux's own loopback device. */
const LOOPBACK_MTU = 65_536;

/**
 * For a machine without root: every instance gets an address of 127.0.0.0/8 of its own, all of which Linux answers on already. Instances
 * share the host's network stack and must listen on the address they are given. Nothing in the kernel is changed, so peers on other
 * machines cannot be reached.
 */
export function createLoopback({ dir }: LoopbackOptions): NetworkBackend {
  return {
    name: 'loopback',
    attaching: directAttaching(dir),
    prepare: async ({ network }) => inForce(network.mtu),
    sync: async ({ network }) => inForce(network.mtu),
    inspect: async () => ({ ready: true, faults: [] }),
    remove: ({ name }) => removeReservations(pathOf(dir, name)),
  };
}

function inForce(mtu = LOOPBACK_MTU) {
  return { mtu, changes: [] };
}

function directAttaching(dir: string): DirectAttaching {
  const change = oneAtATime();

  async function update(network: string, next: (table: Reservations) => Reservations): Promise<void> {
    await change(async () => {
      const path = pathOf(dir, network);
      const before = await readReservations(path);
      const after = next(before);
      if (after !== before) await writeReservations(path, after);
    });
  }

  return {
    kind: 'direct',
    async attach(share, key) {
      let address = '';
      await update(share.network.name, (table) => {
        const given = reserve(table, share.lease.subnet, reservationKey(key));
        if (given === undefined) throw exhausted(share, key.instanceId);
        address = given.address;
        return given.table;
      });
      return address;
    },
    detach: (network, key) =>
      update(network, (table) => keeping(table, (held) => held !== reservationKey(key))),
    async recover(network, valid) {
      const live = new Set(valid.map(reservationKey));
      await update(network, (table) => keeping(table, (held) => live.has(held)));
    },
  };
}

function exhausted({ network, lease }: OwnShare, instance: string): AddressesExhausted {
  return new AddressesExhausted(network.name, instance, `all addresses of ${lease.subnet} are in use`);
}

function pathOf(dir: string, network: string): string {
  return join(dir, `${network}.json`);
}

/** Runs each piece of work when the one before has ended, however it ended. */
function oneAtATime(): (work: () => Promise<void>) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}
