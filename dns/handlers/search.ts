import { weirName } from '../../core/model/name.ts';
import {
  type DnsQuestion,
  type Handler,
  type MaybeLater,
  type Next,
  type Reply,
  status,
  then,
} from '../handler.ts';
import { parentOf } from '../record-store.ts';
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
      if (!question.name.includes('.')) return found(zone(), question) ?? oneWord(zone(), question, next);
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
    .find((candidate) => zone.store.hasRecords(candidate));
  if (target === undefined) return undefined;
  const { ttl } = zone.options;
  return status(RCODE.NOERROR, {
    authoritative: true,
    answers: [{ type: 'CNAME', name, class: CLASS.IN, ttl, target }],
  });
}

/** A program of ours that asks for what is not there: refused, it would ask again, as if somebody else knew. */
function oneWord(zone: Zone, question: DnsQuestion, next: Next): MaybeLater<Reply> {
  const ours = zone.endpointAt(question.client.address) !== undefined;
  return then(next(question), (reply) =>
    ours && reply.rcode === RCODE.REFUSED ? status(RCODE.NXDOMAIN) : reply,
  );
}

/** For an instance of `/shop/eu/api`: `eu.shop.weir`, `shop.weir`, `weir`. For anybody else: `weir`. */
function searchDomains(zone: Zone, address: string): readonly Name[] {
  const { weirDomain } = zone.options;
  const asking = zone.endpointAt(address);
  const domains: Name[] = [];
  const group = asking === undefined ? '' : parentOf(weirName(asking.appId));
  for (let at = group; at !== ''; at = parentOf(at)) domains.push(`${at}.${weirDomain}`);
  return [...domains, weirDomain];
}
