import type { MappedPort } from '../../../../edge/l4/port-mapper.ts';
import { serviceKey, type VipService, type VipTable } from '../../../table.ts';

/** The ports as services, one for each address of the machine. Pure. */
export function placed(wanted: readonly MappedPort[], addresses: readonly string[]): VipTable {
  const all = wanted.flatMap((port) => placesOf(port, addresses));
  return { services: new Map(all.map((one) => [serviceKey(one), one])), problems: [] };
}

export function placesOf(
  { listener: _, backends, ...port }: MappedPort,
  addresses: readonly string[],
): readonly VipService[] {
  const targets = backends.map(({ far: _, ...target }) => target);
  const at = port.address === '0.0.0.0' ? addresses : [port.address];
  return at.map((address) => ({ ...port, address, backends: targets }));
}

/** Addresses of endpoints whose answers would not come back by themselves. */
export function farOf(wanted: readonly MappedPort[]): ReadonlySet<string> {
  return new Set(
    wanted.flatMap(({ backends }) => backends.filter(({ far }) => far).map(({ address }) => address)),
  );
}
