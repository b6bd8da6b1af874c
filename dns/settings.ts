import { isIP } from 'node:net';
import type { ListenAddress } from '../core/kit/listen.ts';
import type {
  ForwardOptions,
  RateLimitOptions,
  ServerOptions,
  SoaOptions,
  Upstream,
  ZoneOptions,
} from './options.ts';
import { Faults, Fields, readName } from './settings-fields.ts';
import { recordsIn } from './settings-records.ts';
import type { Name } from './wire/types.ts';

/** What a settings file says; what it does not say is left out. */
export type DnsSettings = {
  readonly zone: Partial<ZoneOptions>;
  readonly server: Partial<ServerOptions>;
  readonly forward: Partial<ForwardOptions>;
  /** False: names outside our zones are refused, whatever upstreams there are. */
  readonly external: boolean;
  /** Further addresses of this machine that the resolver has for itself; absent: the default one. */
  readonly nodeAddresses?: readonly string[];
  readonly secure?: SecureSettings;
  /** Keys of Mesos-DNS that have no meaning here. */
  readonly ignored: readonly string[];
};

/** DNS over TLS and over HTTPS. Without files, the development authority's certificate is taken. */
export type SecureSettings = {
  readonly tls?: ListenAddress;
  readonly https?: ListenAddress;
  readonly certificateFile?: string;
  readonly keyFile?: string;
};

/** All that is wrong with the settings, a line each: where, and what was expected. */
export type SettingsRead =
  | { readonly kind: 'settings'; readonly settings: DnsSettings }
  | { readonly kind: 'faults'; readonly faults: readonly string[] };

/** Asked of ZooKeeper and the Mesos master, which are not here, or said by options of the command (dns.md §8). */
const withoutMeaning = [
  'zk masters refreshSeconds stateTimeoutSeconds zkDetectionTimeout port listener httpListener httpPort dnsOn httpOn recurseOn',
  'SetTruncateBit mesosHTTPSOn caCertFile certFile keyFile',
  'mesosAuthentication mesosCredentials iamConfigFile',
].flatMap((line) => line.split(' '));

/**
 * Reads the JSON of a settings file: the keys of a Mesos-DNS configuration, in any letter case, so that one can be used as it is,
 * and our own.
 */
export function readDnsSettings(json: unknown): SettingsRead {
  const faults = new Faults();
  const fields = Fields.of(json, { path: '', faults });
  const zone = zoneIn(fields);
  const settings: DnsSettings = {
    zone,
    server: serverIn(fields),
    forward: forwardIn(fields, zone.mesosDomain ?? 'mesos'),
    external: fields.boolean('externalOn') ?? true,
    ...fields.given('nodeAddresses', fields.list('nodeAddresses', address)),
    ...fields.given('secure', secureIn(fields)),
    ignored: withoutMeaning.filter((key) => fields.take(key) !== undefined),
  };
  fields.end();
  return faults.all.length > 0 ? { kind: 'faults', faults: faults.all } : { kind: 'settings', settings };
}

function zoneIn(fields: Fields): Partial<ZoneOptions> {
  return {
    ...fields.given('mesosDomain', fields.name('domain')),
    ...fields.given('ttl', fields.whole('ttl', { least: 0 })),
    ...fields.given('enforceRfc952', fields.boolean('enforceRFC952')),
    ...fields.given('srvWeight', fields.whole('srvRecordDefaultWeight', { least: 0, most: 65_535 })),
    ...fields.given('ipSources', sourcesIn(fields)),
    ...fields.given('soa', soaIn(fields)),
    ...fields.given('enumeration', fields.boolean('EnumerationOn')),
    ...fields.given('publicAddresses', fields.list('publicAddresses', address)),
    ...fields.given('zookeeper', fields.list('zookeeper', address)),
    ...fields.given('clusterId', fields.text('clusterId')),
    ...fields.given('records', recordsIn(fields)),
  };
}

/** In `SOARname` an `@` is a dot (dns.md §8). */
function soaIn(fields: Fields): SoaOptions | undefined {
  const seconds = (key: string) => fields.whole(key, { least: 0, most: 0x7fff_ffff });
  const soa: SoaOptions = {
    ...fields.given('mname', fields.name('SOAMname')),
    ...fields.given('rname', fields.value('SOARname', mailName)),
    ...fields.given('refresh', seconds('SOARefresh')),
    ...fields.given('retry', seconds('SOARetry')),
    ...fields.given('expire', seconds('SOAExpire')),
    ...fields.given('minimum', seconds('SOAMinttl')),
  };
  return Object.keys(soa).length === 0 ? undefined : soa;
}

function mailName(value: unknown) {
  return readName(typeof value === 'string' ? value.replace('@', '.') : value);
}

/** `docker` and `mesos` are other ways to learn what `netinfo` says here. */
function sourcesIn(fields: Fields): ZoneOptions['ipSources'] | undefined {
  const known = { host: 'host', netinfo: 'netinfo', docker: 'netinfo', mesos: 'netinfo' } as const;
  const expected = 'host, mesos, docker or netinfo';
  const read = (value: unknown) =>
    typeof value === 'string' && value in known
      ? known[value as keyof typeof known]
      : new TypeError(expected);
  const sources = fields.list('IPSources', read, 1);
  return sources && [...new Set(sources)];
}

function serverIn(fields: Fields): Partial<ServerOptions> {
  const limit = fields.object('rateLimit');
  const rateLimit: RateLimitOptions | undefined = limit && {
    amplification: limit.number('amplification', { least: 1 }) ?? 1.95,
    quietBytes: limit.number('quietBytes', { least: 0 }) ?? 32_768,
  };
  limit?.end();
  return {
    ...fields.given('rateLimit', rateLimit),
    ...fields.given('identity', fields.text('identity')),
    ...fields.given('cookieSecret', fields.text('cookieSecret', /^[0-9a-f]{32}$/i)),
    ...fields.given('threads', fields.whole('threads', { least: 1, most: 16 })),
    ...fields.given('udpPayload', fields.whole('udpPayload', { least: 512, most: 4_096 })),
  };
}

function forwardIn(fields: Fields, domain: Name): Partial<ForwardOptions> {
  const zones = fields.object('zoneResolvers');
  const cache = fields.object('cache');
  const seconds = fields.number('timeout', { least: 0.01 });
  const forward = {
    ...fields.given('upstreams', fields.list('resolvers', upstreamOnce())),
    ...fields.given(
      'zones',
      zones &&
        Object.fromEntries(zones.keys.map((key) => [zones.nameOf(key), zones.list(key, upstreamOnce(), 1)])),
    ),
    ...fields.given('policy', fields.oneOf('upstreamPolicy', ['order', 'fastest', 'race'])),
    ...fields.given('timeoutMs', seconds && seconds * 1_000),
    ...fields.given(
      'cache',
      cache && {
        entries: cache.whole('entries', { least: 0 }) ?? 10_000,
        staleSeconds: cache.whole('staleSeconds', { least: 0 }) ?? 86_400,
      },
    ),
  };
  // nobody else is asked for our own names
  if (forward.zones !== undefined && domain in forward.zones)
    zones?.fault(`zones but ${domain}, which is ours`);
  zones?.end();
  cache?.end();
  return forward as Partial<ForwardOptions>;
}

function secureIn(fields: Fields): SecureSettings | undefined {
  const secure = fields.object('secure');
  if (secure === undefined) return undefined;
  const settings = {
    ...secure.given(
      'tls',
      secure.value('tls', (value) => listenAt(value, 853)),
    ),
    ...secure.given(
      'https',
      secure.value('https', (value) => listenAt(value, 443)),
    ),
    ...secure.given('certificateFile', secure.text('certificateFile')),
    ...secure.given('keyFile', secure.text('keyFile')),
  };
  secure.end();
  return settings;
}

function address(value: unknown): string | TypeError {
  return typeof value === 'string' && isIP(value) !== 0 ? value : new TypeError('an IP address');
}

/** For one list: each address may be in it once (dns.md §6). */
function upstreamOnce(): (value: unknown) => Upstream | TypeError {
  const seen = new Set<string>();
  return (value) => {
    const at = listenAt(value, 53);
    if (at instanceof TypeError) return at;
    const text = `${at.address} ${at.port}`;
    if (seen.has(text)) return new TypeError('an address that is not in the list already');
    seen.add(text);
    return at;
  };
}

/** `1.2.3.4`, `1.2.3.4:53`, `::1`, `[::1]:53`. */
function listenAt(value: unknown, port: number): ListenAddress | TypeError {
  const text = typeof value === 'string' ? value : '';
  if (isIP(text) !== 0) return { address: text, port };
  const parts = /^(?:\[(?<six>.+)\]|(?<four>[^:]+)):(?<port>\d{1,5})$/.exec(text)?.groups;
  const host = parts?.['six'] ?? parts?.['four'] ?? '';
  const number = Number(parts?.['port']);
  if (isIP(host) === 0 || number > 65_535) return new TypeError('an IP address, with a port or without');
  return { address: host, port: number };
}
