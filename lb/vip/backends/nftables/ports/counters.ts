import { serviceKey } from '../../../table.ts';

export type SetCount = { readonly packets: number; readonly bytes: number };

const element = /([\da-f.:]+) \. (\d+) \. (\d+) counter packets (\d+) bytes (\d+)/g;

/** By service key, from `nft -n list set`. */
export function parseSetCounters(text: string): ReadonlyMap<string, SetCount> {
  return new Map(
    [...text.matchAll(element)].map(([, address, protocol, port, packets, bytes]) => [
      serviceKey({ protocol: protocol === '17' ? 'udp' : 'tcp', address: address!, port: Number(port) }),
      { packets: Number(packets), bytes: Number(bytes) },
    ]),
  );
}
