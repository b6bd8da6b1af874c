import { isIP } from 'node:net';
import type { Authority, ChallengeType, Issuance } from '../core/model/issuance.ts';
import type { Detail } from './problem.ts';

type Body = Readonly<Record<string, unknown>>;
type Read<K extends string, T> =
  | ({ readonly kind: K } & Readonly<Record<K, T>>)
  | { readonly kind: 'faults'; readonly faults: readonly Detail[] };

const namePattern = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;
const nameRule =
  'must be 1 to 63 of a-z, 0-9, dot, dash and underscore, beginning and ending with a-z or 0-9';
const hostPattern = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const issuanceFields = ['name', 'hosts', 'challenge', 'authority', 'preflight', 'default', 'renew'];
const authorityFields = [
  'name',
  'directory',
  'contact',
  'externalAccount',
  'trust',
  'resolver',
  'agreeTerms',
];
const challenges: readonly ChallengeType[] = ['http-01', 'tls-alpn-01'];
/** Let's Encrypt's bound. */
const mostHosts = 100;

/** `{hosts, name?, challenge?, authority?, preflight?, default?}` as sent; all faults together. */
export function readIssuance(body: Body, now: number): Read<'issuance', Issuance> {
  const faults = new Faults(body, issuanceFields);
  const hosts = readHosts(body['hosts'], faults);
  const name = body['name'] ?? hosts[0]?.slice(0, 63);
  if (typeof name !== 'string' || !namePattern.test(name)) faults.add('/name', nameRule);
  const challenge = challenges.find((one) => one === (body['challenge'] ?? 'http-01'));
  if (challenge === undefined) faults.add('/challenge', `must be one of ${challenges.join(', ')}`);
  const authority = body['authority'] ?? 'default';
  if (typeof authority !== 'string') faults.add('/authority', 'must be the name of an authority');
  for (const flag of ['preflight', 'default', 'renew'])
    if (body[flag] !== undefined && typeof body[flag] !== 'boolean')
      faults.add(`/${flag}`, 'must be true or false');
  if (faults.all.length > 0 || challenge === undefined) return { kind: 'faults', faults: faults.all };
  const issuance: Issuance = {
    ...{ name: String(name), hosts, challenge, authority: String(authority), requestedAt: now },
    preflight: body['preflight'] !== false,
    ...(body['default'] === true ? { default: true } : {}),
  };
  return { kind: 'issuance', issuance };
}

/** `{directory, agreeTerms: true, contact?, externalAccount?, trust?, resolver?}` as sent; all faults together. */
export function readAuthority(body: Body): Read<'authority', Authority> {
  const faults = new Faults(body, authorityFields);
  const name = body['name'] ?? 'default';
  if (typeof name !== 'string' || !namePattern.test(name)) faults.add('/name', nameRule);
  const directory = body['directory'];
  if (typeof directory !== 'string' || !URL.canParse(directory) || !/^https?:/.test(directory))
    faults.add('/directory', 'must be the URL of an ACME directory');
  if (body['agreeTerms'] !== true)
    faults.add('/agreeTerms', "must be true: you agree to the authority's terms of service");
  const contact = faults.text('contact', /^[^\s@]+@[^\s@]+$/, 'must be an e-mail address');
  const trust = faults.text('trust', /-----BEGIN CERTIFICATE-----/, 'must be PEM: one or more certificates');
  const resolver = faults.text(
    'resolver',
    /^(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\])(:\d+)?$/i,
    'must be ADDRESS or ADDRESS:PORT',
  );
  const externalAccount = readExternalAccount(body['externalAccount'], faults);
  if (faults.all.length > 0) return { kind: 'faults', faults: faults.all };
  const authority: Authority = {
    ...{ name: String(name), directory: String(directory) },
    ...(contact && { contact }),
    ...(trust && { trust }),
    ...(resolver && { resolver }),
    ...(externalAccount && { externalAccount }),
  };
  return { kind: 'authority', authority };
}

class Faults {
  readonly all: Detail[] = [];
  readonly #body: Body;

  constructor(body: Body, known: readonly string[]) {
    this.#body = body;
    for (const field of Object.keys(body)) if (!known.includes(field)) this.add(`/${field}`, 'is not known');
  }

  add(path: string, error: string): void {
    this.all.push({ path, errors: [error] });
  }

  text(field: string, pattern: RegExp, rule: string): string | undefined {
    const value = this.#body[field];
    if (value === undefined) return undefined;
    if (typeof value === 'string' && pattern.test(value)) return value;
    this.add(`/${field}`, rule);
    return undefined;
  }
}

function readHosts(value: unknown, faults: Faults): readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > mostHosts) {
    faults.add('/hosts', `must be 1 to ${mostHosts} host names`);
    return [];
  }
  const hosts = value.map((host, n) => {
    const text = typeof host === 'string' ? host.toLowerCase().replace(/\.$/, '') : '';
    const fault = hostFault(text);
    if (fault !== undefined) faults.add(`/hosts/${n}`, fault);
    return text;
  });
  return [...new Set(hosts)];
}

function hostFault(host: string): string | undefined {
  if (host.startsWith('*.')) return 'is a wildcard, which authorities prove by DNS only: that is not built';
  if (isIP(host) !== 0) return 'is an address: expected a host name';
  return host.length <= 253 && hostPattern.test(host)
    ? undefined
    : 'must be a host name, such as shop.example.org';
}

function readExternalAccount(value: unknown, faults: Faults): Authority['externalAccount'] {
  if (value === undefined) return undefined;
  const { keyId, key } =
    typeof value === 'object' && value !== null ? { keyId: undefined, key: undefined, ...value } : {};
  const isText = typeof keyId === 'string' && typeof key === 'string' && /^[\w-]+=*$/.test(key);
  if (isText && keyId !== '') return { keyId, key };
  faults.add('/externalAccount', 'must be {keyId, key}, the key in base64url');
  return undefined;
}
