import type { MappedPort } from '../../../../edge/l4/port-mapper.ts';
import { serviceKey, type VipService, type VipTable } from '../../../table.ts';

export type PortAccess = Pick<MappedPort, 'allow' | 'deny'>;

/** The ports as services, one for each address of the machine. Pure. */
export function placed(wanted: readonly MappedPort[], addresses: readonly string[]): VipTable {
  const all = wanted.flatMap((port) => placesOf(port, addresses));
  return { services: new Map(all.map((one) => [serviceKey(one), one])), problems: [] };
}

export function placesOf(
  { listener: _, backends, allow: __, deny: ___, ...port }: MappedPort,
  addresses: readonly string[],
): readonly VipService[] {
  const targets = backends.map(({ far: _, ...target }) => target);
  const at = port.address === '0.0.0.0' || port.address === '::' ? addresses : [port.address];
  return at.map((address) => ({ ...port, address, backends: targets }));
}

/** Addresses of endpoints whose answers would not come back by themselves. */
export function farOf(wanted: readonly MappedPort[]): ReadonlySet<string> {
  return new Set(
    wanted.flatMap(({ backends }) => backends.filter(({ far }) => far).map(({ address }) => address)),
  );
}

/** Who may come, by `serviceKey`; absent: everybody. */
export function accessOf(
  wanted: readonly MappedPort[],
  addresses: readonly string[],
): ReadonlyMap<string, PortAccess> {
  const asked = wanted.filter(({ allow, deny }) => allow !== undefined || deny !== undefined);
  return new Map(
    asked.flatMap((port) => placesOf(port, addresses).map((one) => [serviceKey(one), port] as const)),
  );
}
