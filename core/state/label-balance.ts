import type { RouteOptions } from '../model/route.ts';

/** What HAProxy's name of an algorithm means for a route; undefined: it is not one that the edge has. */
export function balanceOption(text: string): RouteOptions | undefined {
  const [, algorithm = '', parameter] =
    /^([a-z_-]+)(?:[ (]([!#$%&'*+.^_`|~0-9A-Za-z-]+)\)?)?$/.exec(text.trim()) ?? [];
  if (Object.hasOwn(plain, algorithm)) return plain[algorithm];
  if (parameter === undefined) return undefined;
  if (algorithm === 'hdr') return { balance: 'hash', hashBy: { from: 'header', name: parameter } };
  return algorithm === 'url_param'
    ? { balance: 'hash', hashBy: { from: 'query', name: parameter } }
    : undefined;
}

export const balanceNames =
  'roundrobin, static-rr, leastconn, random, source, uri, url_param NAME, hdr(NAME)';

const plain: Readonly<Record<string, RouteOptions>> = {
  roundrobin: { balance: 'round-robin' },
  'static-rr': { balance: 'round-robin' },
  leastconn: { balance: 'least-requests' },
  random: { balance: 'two-choices' },
  source: { balance: 'hash' },
  uri: { balance: 'hash', hashBy: { from: 'path' } },
};
