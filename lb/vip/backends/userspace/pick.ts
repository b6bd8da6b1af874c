import { createHash } from 'node:crypto';
import { slotsOf } from '../../slots.ts';
import { targetKey, type VipService, type VipTarget } from '../../table.ts';

export type Chooser = {
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Open connections of a backend, by `targetKey`. */
  readonly open: (target: string) => number;
  /** Backends that did not take connections lately, by `targetKey`. */
  readonly ejected: ReadonlySet<string>;
  /** Where the client stays. */
  readonly stays?: VipTarget | undefined;
};

/** All backends of a service, each once: the order in which a connection of a client tries them. */
export function tryOrder(
  service: VipService,
  client: { readonly address: string; readonly port: number },
  chooser: Chooser,
): readonly VipTarget[] {
  const { backends, protocol } = service;
  if (backends.length === 0) return [];
  const first = chooser.stays ?? choose(service, client, chooser);
  const at = Math.max(0, backends.indexOf(first));
  const turned = [...backends.slice(at), ...backends.slice(0, at)];
  const isEjected = (target: VipTarget) => chooser.ejected.has(targetKey(protocol, target));
  return [...turned.filter((target) => !isEjected(target)), ...turned.filter(isEjected)];
}

function choose(
  service: VipService,
  { address, port }: { readonly address: string; readonly port: number },
  { random, open }: Chooser,
): VipTarget {
  const { choice, targets } = slotsOf(service);
  const drawn = {
    random,
    address: () => fraction(address),
    flow: () => fraction(`${address} ${port}`),
  }[choice]();
  const target = targets[Math.floor(drawn * targets.length)]!;
  if (service.balance !== 'least-connections') return target;
  const load = ({ weight = 1, ...at }: VipTarget) => open(targetKey(service.protocol, at)) / weight;
  return service.backends.reduce((least, other) => (load(other) < load(least) ? other : least), target);
}

/** From 0 up to 1, the same for the same text on every machine. */
function fraction(text: string): number {
  return createHash('sha1').update(text).digest().readUInt32BE(0) / 2 ** 32;
}
