import { isIPv4, isIPv6 } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { parseCidr4 } from '../../core/kit/ip.ts';
import type { PortRange } from '../../core/model/resources.ts';
import type { Address } from '../compose/agent-settings.ts';

/** Where Weir's addresses come from when it may change the kernel: the shared address space of RFC 6598. */
export const kernelRanges = { network: '100.64.0.0/16', vip: '100.100.0.0/16' };
/** DC/OS's ranges (vip.md §4); the first is a public one, so nothing takes it that was not told to. */
export const dcosRanges = { vip: '11.0.0.0/8', vip6: 'fd01:c::/64' };
/** The same without root: every address of 127.0.0.0/8 can be used by anyone. */
export const loopbackRanges = { network: '127.64.0.0/16', vip: '127.100.0.0/16' };

export const defaults = {
  data: '.weir',
  api: '127.0.0.1:8080',
  http: '127.0.0.1:8000',
  https: '127.0.0.1:8443',
  dns: '127.0.0.1:10053',
  dnsHttp: '127.0.0.1:8123',
  dcosHttp: '127.0.0.1:62080',
  edgeStats: '127.0.0.1:9090',
  edgeGroups: 'external',
  appIdPort: '9091',
  edgeStays: '60',
  ports: '31000-32000',
  drainLimit: '10',
  agentLost: '20',
  mostDeployments: '100',
  launchTimeout: '300',
};

/** Collects repeated addresses and ranges; commas separate them too. */
export function parseRanges(text: string, before: readonly string[]): readonly string[] {
  const ranges = text.split(',').map((range) => range.trim());
  for (const range of ranges) {
    const [address = '', bits, ...rest] = range.split('/');
    const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
    const isLength = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
    if (most < 0 || !isLength || rest.length > 0)
      throw new InvalidArgumentError('expected an address or a range, such as 10.0.0.0/8');
  }
  return [...before, ...ranges];
}

/** For commander: `HOST:PORT`. */
export function parseAddress(text: string): Address {
  const at = text.lastIndexOf(':');
  const [address, port] = [text.slice(0, at), Number(text.slice(at + 1))];
  if (!isIPv4(address) || !/^\d+$/.test(text.slice(at + 1)) || port > 65_535) {
    throw new InvalidArgumentError('expected HOST:PORT with an IPv4 address, such as 127.0.0.1:8080');
  }
  return { address, port };
}

/** Names with commas between them; none is left out for being empty. */
export function parseGroups(text: string): readonly string[] {
  const groups = text.split(',').map((group) => group.trim());
  if (groups.every((group) => group !== '')) return groups;
  throw new InvalidArgumentError('expected names with commas between them, such as external,internal, or *');
}

/** URLs with commas between them. */
export function parseUrls(text: string): readonly string[] {
  const urls = text.split(',').map((url) => url.trim().replace(/\/+$/, ''));
  if (urls.every((url) => /^https?:\/\//.test(url) && URL.canParse(url))) return urls;
  throw new InvalidArgumentError('expected URLs with commas between them, such as http://127.0.0.1:8080');
}

/** Collects repeated `HOST[:PORT]` options; the port is 53 unless given. */
export function parseResolver(text: string, before: readonly Address[]): readonly Address[] {
  return [...before, parseAddress(text.includes(':') ? text : `${text}:53`)];
}

export function parseRange(text: string): string {
  try {
    parseCidr4(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

/** A range of virtual addresses: `dcos` is that of DC/OS. */
export function parseVipRange(text: string): string {
  return parseRange(text === 'dcos' ? dcosRanges.vip : text);
}

/** The same for IPv6: a prefix of at least four addresses. */
export function parseVipRange6(text: string): string {
  const range = text === 'dcos' ? dcosRanges.vip6 : text;
  const [address = '', length = ''] = range.split('/');
  const isPrefix = isIPv6(address) && /^\d{1,3}$/.test(length) && Number(length) <= 126;
  if (isPrefix) return range;
  throw new InvalidArgumentError('expected an IPv6 prefix, such as fd00:77::/64, or dcos');
}

/** Seconds as written to milliseconds. */
export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0)) throw new InvalidArgumentError('expected seconds, 0 or more');
  return seconds * 1000;
}

export function parsePorts(text: string): PortRange {
  const match = /^(\d+)-(\d+)$/.exec(text);
  const [begin, end] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || begin > end || end > 65_535 || begin < 1)
    throw new InvalidArgumentError('expected BEGIN-END, such as 31000-32000');
  return { begin, end };
}

export function parseShare(text: string): number {
  const share = Number(text);
  if (text.trim() === '' || !(share >= 0 && share <= 1))
    throw new InvalidArgumentError('expected a number from 0 to 1, such as 0.01');
  return share;
}

/** Collects repeated `KEY=VALUE` options; values become what constraints compare them as. */
export function parseAttribute(
  text: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('expected KEY=VALUE');
  return { ...before, [text.slice(0, at)]: attributeText(text.slice(at + 1)) };
}

/** Marathon §13: scalars with up to three decimals, ranges and sets in order; anything else as it is. */
export function attributeText(value: string): string {
  if (/^[+-]?\d+(\.\d+)?$/.test(value)) return String(Math.round(Number(value) * 1000) / 1000);
  const inside = value
    .slice(1, -1)
    .split(',')
    .map((part) => part.trim());
  if (/^\[\s*\d+-\d+(\s*,\s*\d+-\d+)*\s*\]$/.test(value))
    return `[${inside.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)).join(',')}]`;
  if (/^\{.*\}$/.test(value)) return `{${inside.sort().join(',')}}`;
  return value;
}
