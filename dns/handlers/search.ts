import { type DnsQuestion, type Handler, type MaybeLater, type Reply, status, then } from '../handler.ts';
import { parentOf } from '../record-store.ts';
import { reverseName } from '../records/reverse.ts';
import { CLASS, type Name, RCODE, TYPE } from '../wire/types.ts';
import type { Zone } from '../zone.ts';

/** What programs look for under a name without its domain. */
const searchedTypes = new Set<number>([TYPE.A, TYPE.AAAA, TYPE.SRV, TYPE.HTTPS]);

/**
 * The search list, on this side: `web` asked by an instance of `/shop/api` is `web.shop.weir`, else `web.weir`, in one query
 * instead of one for each domain of a list. One word is looked for here first; a name with dots only when it is nobody's: what
 * the world calls `example.org` must not become an app's.
 */
export function searchHandler(zone: () => Zone): Handler {
  return {
    name: 'search',
    answer(question, next) {
      if (!searchedTypes.has(question.type) || question.name === '') return next(question);
      if (!question.name.includes('.')) return found(zone(), question) ?? next(question);
      return then(
        next(question),
        (reply): MaybeLater<Reply> => (isNobodys(reply) ? (found(zone(), question) ?? reply) : reply),
      );
    },
  };
}

function isNobodys({ rcode }: Reply): boolean {
  return rcode === RCODE.NXDOMAIN || rcode === RCODE.REFUSED;
}

/** The alias to the name it stands for; what that one has is added by the handler that follows aliases. */
function found(zone: Zone, { name, client }: DnsQuestion): Reply | undefined {
  const target = searchDomains(zone, client.address)
    .map((domain) => `${name}.${domain}`)
    .find((candidate) => zone.store.sets(candidate).length > 0);
  if (target === undefined) return undefined;
  const { ttl } = zone.options;
  return status(RCODE.NOERROR, {
    authoritative: true,
    answers: [{ type: 'CNAME', name, class: CLASS.IN, ttl, target }],
  });
}

/** For an instance of `/shop/eu/api`: `eu.shop.weir`, `shop.weir`, `weir`. For anybody else: `weir`. */
function searchDomains(zone: Zone, address: string): readonly Name[] {
  const { weirDomain } = zone.options;
  const reverse = reverseName(address);
  const [own] = reverse === undefined ? [] : (zone.store.set(reverse, 'PTR')?.records ?? []);
  if (own?.type !== 'PTR' || !own.target.endsWith(`.${weirDomain}`)) return [weirDomain];
  const domains: Name[] = [];
  // instance-….api.eu.shop.weir: past the instance and its app
  for (let at = parentOf(parentOf(own.target)); at !== ''; at = parentOf(at)) domains.push(at);
  return domains.length > 0 ? domains : [weirDomain];
}
