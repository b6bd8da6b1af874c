import ipaddr from 'ipaddr.js';

type Range = { readonly address: ipaddr.IPv4 | ipaddr.IPv6; readonly prefix: number };

/** Of these addresses and ranges those of one family, each by its first address, none within another. Pure. */
export function rangesOf(texts: readonly string[], family: 4 | 6): readonly string[] {
  const own = texts.map(parsed).filter(({ address }) => (address.kind() === 'ipv4' ? 4 : 6) === family);
  const kept = new Set<string>();
  for (const { address, prefix } of own.toSorted((a, b) => a.prefix - b.prefix)) {
    const wider = Array.from({ length: prefix + 1 }, (_, bits) => cut(address, bits));
    if (!wider.some((one) => kept.has(one))) kept.add(cut(address, prefix));
  }
  return [...kept];
}

/** An IPv4 address in the clothes of IPv6 is one. */
function parsed(text: string): Range {
  const [name = '', bits] = text.split('/');
  const address = ipaddr.parse(name);
  const prefix = Number(bits ?? (address.kind() === 'ipv4' ? 32 : 128));
  if (!(address instanceof ipaddr.IPv6) || !address.isIPv4MappedAddress() || prefix < 96)
    return { address, prefix };
  return { address: address.toIPv4Address(), prefix: prefix - 96 };
}

function cut(address: ipaddr.IPv4 | ipaddr.IPv6, prefix: number): string {
  const range = `${address}/${prefix}`;
  const first =
    address.kind() === 'ipv4'
      ? ipaddr.IPv4.networkAddressFromCIDR(range)
      : ipaddr.IPv6.networkAddressFromCIDR(range);
  return `${first}/${prefix}`;
}
