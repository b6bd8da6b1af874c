/** IPv4 or IPv6: one table, one set of routes, one kind of tracked connections each. */
export type Family = 4 | 6;

type Words = {
  /** As nft and conntrack say it. */
  readonly ip: 'ip' | 'ip6';
  readonly tracked: 'ipv4' | 'ipv6';
  readonly flag: '-4' | '-6';
  readonly address: 'ipv4_addr' | 'ipv6_addr';
  readonly unreachable: string;
  /** An error of a router or a firewall about a packet that got no further, and where in it the packet was for. */
  readonly error: string;
  readonly errorAbout: string;
  /** Length of the prefix of one address. */
  readonly bits: 32 | 128;
};

export function familyWords(family: Family): Words {
  return family === 4 ? four : six;
}

const four: Words = {
  ip: 'ip',
  tracked: 'ipv4',
  flag: '-4',
  address: 'ipv4_addr',
  unreachable: 'icmp type port-unreachable',
  error: 'icmp type destination-unreachable icmp code != frag-needed',
  errorAbout: '@th,192,32 . @th,240,16',
  bits: 32,
};

const six: Words = {
  ip: 'ip6',
  tracked: 'ipv6',
  flag: '-6',
  address: 'ipv6_addr',
  unreachable: 'icmpv6 type port-unreachable',
  error: 'icmpv6 type destination-unreachable',
  errorAbout: '@th,256,128 . @th,400,16',
  bits: 128,
};
