import { isIPv6 } from 'node:net';
import { CniError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { atLeast, type CniVersion, requireVersion } from '../versions.ts';
import type { CniDns, CniInterface, CniIp, CniResult, CniRoute } from './result.ts';

/**
 * Writes a result in the format of a version.
 * @throws CniError WEIR_CNI_VERSION when the version is unknown, or cannot say what the result holds
 */
export function formatResult(result: CniResult, version: string): JsonObject {
  const target = requireVersion(version);
  if (atLeast(target, '1.0.0')) return formatLatest(result, target);
  if (atLeast(target, '0.3.0')) return formatMiddle(result, target);
  return formatFamilies(result, target);
}

/** 1.0 and 1.1 are one format; what only 1.1 defines stays, so that nothing is lost on the way through a 1.0 plugin. */
function formatLatest(result: CniResult, version: CniVersion): JsonObject {
  const { interfaces, ips, routes, dns } = result;
  return {
    cniVersion: version,
    ...filled('interfaces', interfaces),
    ...filled('ips', ips),
    ...filled('routes', routes),
    ...(isEmpty(dns) ? {} : { dns }),
  };
}

/** 0.3 and 0.4 tell the family of each address and know fewer fields of an interface. Routes are copied whole, as libcni does. */
function formatMiddle(result: CniResult, version: CniVersion): JsonObject {
  const ips = result.ips.map((ip) => ({ version: family(ip.address), ...ip }));
  return {
    cniVersion: version,
    ...filled('interfaces', result.interfaces.map(olderInterface)),
    ...filled('ips', ips),
    ...filled('routes', result.routes),
    dns: result.dns,
  };
}

function formatFamilies(result: CniResult, version: CniVersion): JsonObject {
  const ip4 = result.ips.find((ip) => family(ip.address) === '4');
  const ip6 = result.ips.find((ip) => family(ip.address) === '6');
  if (ip4 === undefined && ip6 === undefined) {
    const reason = `cannot convert the result to CNI ${version}: no valid IP addresses`;
    throw new CniError('WEIR_CNI_VERSION', reason, { cniCode: 1 });
  }
  return {
    cniVersion: version,
    ...(ip4 === undefined ? {} : { ip4: familyEntry(ip4, result.routes) }),
    ...(ip6 === undefined ? {} : { ip6: familyEntry(ip6, result.routes) }),
    dns: result.dns,
  };
}

function familyEntry(ip: CniIp, routes: readonly CniRoute[]): JsonObject {
  const same = routes.filter((route) => family(route.dst) === family(ip.address));
  return {
    ip: ip.address,
    ...(ip.gateway === undefined ? {} : { gateway: ip.gateway }),
    ...filled('routes', same.map(olderRoute)),
  };
}

function olderInterface({ name, mac, sandbox }: CniInterface): CniInterface {
  return { name, ...(mac === undefined ? {} : { mac }), ...(sandbox === undefined ? {} : { sandbox }) };
}

function olderRoute({ dst, gw }: CniRoute): JsonObject {
  return gw === undefined ? { dst } : { dst, gw };
}

function family(cidr: string): '4' | '6' {
  return isIPv6(cidr.split('/')[0] ?? '') ? '6' : '4';
}

function filled(key: string, list: readonly JsonObject[]): JsonObject {
  return list.length === 0 ? {} : { [key]: list };
}

function isEmpty(dns: CniDns): boolean {
  return Object.keys(dns).length === 0;
}
