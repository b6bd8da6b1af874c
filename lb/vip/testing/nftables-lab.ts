import type { Test } from 'tap';
import { silentLog } from '../../../core/kit/log.ts';
import { BothFamilies } from '../backends/nftables/both-families.ts';
import { type NftablesOptions, NftablesVips } from '../backends/nftables/nftables.ts';
import type { VipTarget } from '../table.ts';
import { addresses, addresses6, createLab, type Lab, type Place } from './lab.ts';

export const needsRoot = process.getuid?.() === 0 ? false : 'needs root';
export const ranges = ['100.100.0.0/16'];
/** Two addresses of the range, and one outside. */
export const [one, two, literal] = ['100.100.1.1', '100.100.1.2', '100.101.0.9'];

export function backendOf(lab: Lab, options: Partial<NftablesOptions> = {}): NftablesVips {
  return new NftablesVips(
    { log: silentLog, exec: lab.host, spawn: (file, args) => lab.spawn('host', file, args) },
    { ranges, ...options },
  );
}

export const ranges6 = ['fd01:c::/64'];
export const [one6, two6] = ['fd01:c::1', 'fd01:c::2'];

/** Both families, as a machine has them. */
export function bothOf(lab: Lab): BothFamilies {
  return new BothFamilies(backendOf(lab), backendOf(lab, { family: 6, ranges: ranges6 }));
}

/** A server at a place by IPv6, that answers with `<place>-<protocol>`. */
export async function serve6(lab: Lab, place: Place, protocol: 'tcp' | 'udp' = 'tcp'): Promise<VipTarget> {
  const port = protocol === 'tcp' ? 7001 : 7002;
  const name = `${place}-${protocol}`;
  await lab.at(place).listen(name, protocol, addresses6[place], port);
  return { instanceId: name, address: addresses6[place], port };
}

/** A server at a place that answers with `<place>-<protocol>`. */
export async function serve(lab: Lab, place: Place, protocol: 'tcp' | 'udp' = 'tcp'): Promise<VipTarget> {
  const port = protocol === 'tcp' ? 7001 : 7002;
  await lab.at(place).listen(`${place}-${protocol}`, protocol, addresses[place], port);
  return { instanceId: `${place}-${protocol}`, address: addresses[place], port };
}

/** A lab that ends with the test; `id` tells the labs of one process apart. */
export async function labOf(t: Test, id: string): Promise<Lab> {
  const lab = await createLab(id);
  t.teardown(() => lab.close());
  return lab;
}
