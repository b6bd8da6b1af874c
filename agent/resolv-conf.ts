import { weirName } from '../core/model/name.ts';

/** More are not taken by every C library (resolv.conf(5)). */
const [mostDomains, mostNameservers] = [6, 3];

/**
 * For a container with an address of its own. `ndots:0`: every name is asked as it is first, and the resolver completes it by the group
 * of who asks, in one query. It does not know a container before that is announced; until then the search list is what helps.
 */
export function containerResolvConf(appId: string, nameserver: string): string {
  return resolvConf([nameserver], domainsOf(appId), 'ndots:0 ');
}

/**
 * For one that has its machine's addresses: the resolver cannot tell whose question it is, so the search list is what completes a name.
 * What is none of our names, and refused therefore, is asked of those whom the machine asks (`machine`: its own file).
 */
export function hostResolvConf(appId: string, nameserver: string, machine: string): string {
  const words = machine.split('\n').map((line) => line.trim().split(/\s+/));
  const said = (keyword: string) => words.flatMap(([first, ...rest]) => (first === keyword ? rest : []));
  return resolvConf(
    [nameserver, ...said('nameserver')],
    [...domainsOf(appId), ...said('search'), ...said('domain')],
    '',
  );
}

function resolvConf(nameservers: readonly string[], domains: readonly string[], options: string): string {
  return [
    ...first(mostNameservers, nameservers).map((nameserver) => `nameserver ${nameserver}`),
    `search ${first(mostDomains, domains).join(' ')}`,
    `options ${options}timeout:1 attempts:3`,
    '',
  ].join('\n');
}

/** `/shop/eu/web` → `eu.shop.weir`, `shop.weir`, `weir`. */
function domainsOf(appId: string): readonly string[] {
  const labels = weirName(appId).split('.');
  return labels.map((_, index) => [...labels.slice(index + 1), 'weir'].join('.')).slice(-mostDomains);
}

function first(most: number, items: readonly string[]): readonly string[] {
  return [...new Set(items)].slice(0, most);
}
