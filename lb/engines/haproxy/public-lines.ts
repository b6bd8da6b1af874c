import { appIdField, appIdTable } from '../../../core/model/app-id-table.ts';
import { tableOf } from '../../../core/model/listener.ts';
import { addressAcl } from './acls.ts';
import { type Door, doorLines, isHttpDoor, publicBinds } from './doors.ts';
import { type Frame, fileNames } from './frame.ts';
import { lenientLines, lookingTwice } from './lenient-lines.ts';
import { logLines, notedLines, requestFields } from './log-lines.ts';
import { mapFile } from './map-commands.ts';
import { misdirectionLines } from './misdirection-lines.ts';
import { because } from './page-lines.ts';
import { word } from './words.ts';

/** No host has more labels than it takes to be longer than 253 characters; more than this nobody uses. */
const mostLabels = 12;

/** What is done to every request before a backend gets it, and to every answer. */
export function publicLines(frame: Frame): readonly string[] {
  const { settings } = frame;
  const doors = frame.doors.filter(isHttpDoor);
  const noted = notedLines(settings);
  return [
    'option socket-stats',
    ...logLines(settings, requestFields),
    ...publicBinds(doors, settings),
    ...doors.flatMap((door) => doorLines(door)),
    ...noted.before,
    `http-request set-var(txn.scope) so_id,map_str(${fileNames.scopes})`,
    'unique-id-format %{+X}o%pid%Ts%rt%ms-%rc%ci%cp',
    ...challengeLines,
    ...pathLines(frame),
    ...(settings.trustedProxies.length === 0 ? [] : addressAcl('trusted', settings.trustedProxies)),
    ...hostLines(doors),
    ...(doors.some(({ listener }) => listener.protocol === 'https') ? misdirectionLines(settings) : []),
    ...forwardedLines(settings.trustedProxies),
    ...noted.after,
    'http-request disable-l7-retry unless { method GET HEAD OPTIONS PUT DELETE TRACE }',
    ...lookupLines(frame),
    ...frame.facts,
    'http-response add-header Via "1.1 weir"',
    'http-response del-header Keep-Alive',
    'http-response del-header Proxy-Connection',
    'use_backend nowhere unless { var(txn.host) -m len gt 0 }',
    ...frame.chains,
    'use_backend %[var(txn.be)] if { var(txn.be) -m beg b }',
    'default_backend nowhere',
  ];
}

/** Proofs for authorities that issue certificates (RFC 8555 §8.3). */
const challengeLines: readonly string[] = [
  because(
    'acme-challenge',
    `if { path_beg /.well-known/acme-challenge/ } { path,map_str(${mapFile('challenges')}) -m found }`,
  ),
  'http-request return status 200 content-type application/octet-stream lf-string ' +
    `%[path,map_str(${mapFile('challenges')})] if { var(txn.why) -m found }`,
];

/** Paths are compared as an endpoint may read them (lb/edge/routes/comparable-path.ts); what is forwarded stays as it came. */
const pathLines = ({ restricts }: Frame): readonly string[] => [
  'http-request set-var(txn.given) pathq if { pathq -m sub % /. }',
  ...(restricts ? lenientLines : []),
  'http-request normalize-uri percent-decode-unreserved',
  'http-request normalize-uri path-strip-dot if { var(txn.given) -m found }',
  'http-request normalize-uri path-strip-dotdot full if { var(txn.given) -m found }',
  'http-request set-var(txn.path) path',
  'http-request set-pathq %[var(txn.given)] if { var(txn.given) -m found }',
];

function forwardedLines(trusted: readonly string[]): readonly string[] {
  const strangers = trusted.length === 0 ? '' : ' unless trusted';
  const either = (name: string, value: string, when = '') => [
    ...(trusted.length === 0
      ? [`http-request set-header ${name} ${value}${when}`]
      : [
          `http-request set-header ${name} ${value} ${when === '' ? 'if' : when} !trusted or !{ req.fhdr_cnt(${name}) gt 0 }`,
        ]),
  ];
  const chain = "'%[req.fhdr(X-Forwarded-For)], %[src]'";
  return [
    `http-request del-header Forwarded${strangers}`,
    `http-request del-header X-Request-Id${strangers}`,
    ...(trusted.length === 0
      ? ['http-request set-header X-Forwarded-For %[src]']
      : [
          'http-request set-var(txn.peer) src',
          'http-request set-var(txn.before) req.hdr_ip(x-forwarded-for,-1) if trusted',
          `http-request set-header X-Forwarded-For ${chain} if trusted { req.fhdr_cnt(X-Forwarded-For) gt 0 }`,
          'http-request set-header X-Forwarded-For %[src] if !trusted or !{ req.fhdr_cnt(X-Forwarded-For) gt 0 }',
        ]),
    ...either('X-Forwarded-Proto', '%[ssl_fc,iif(https,http)]'),
    ...either('X-Forwarded-Port', '%[dst_port]'),
    ...either('X-Forwarded-Host', '%[req.hdr(host)]'),
    'http-request set-header X-Request-Id %[unique-id] unless { req.fhdr_cnt(X-Request-Id) gt 0 }',
    ...(trusted.length === 0 ? [] : ['http-request set-src var(txn.before) if { var(txn.before) -m found }']),
    ...['Keep-Alive', 'Proxy-Connection', 'Proxy-Authorization', 'HTTP2-Settings', 'TE'].map(
      (name) => `http-request del-header ${name}`,
    ),
    'http-request del-header Upgrade if { req.hdr(upgrade) -m reg -i ^(h2c?|tls)(/|$) }',
    'http-request add-header Via "%[req.ver] weir"',
  ];
}

/** The host, or what stands for it in the table of apps' ids (core/model/app-id-table.ts). */
function hostLines(doors: readonly Door[]): readonly string[] {
  const host = 'http-request set-var(txn.host) req.hdr(host),host_only,lower,rtrim(.)';
  return [
    host,
    ...doors
      .filter(({ listener }) => tableOf(listener) === appIdTable)
      .flatMap(({ number }) => [
        `http-request unset-var(txn.host) if { so_id ${number} }`,
        `http-request set-var(txn.host) req.fhdr(${appIdField}),regsub(/,!,g) if { so_id ${number} } !{ req.fhdr(${appIdField}) -m sub ! }`,
      ]),
  ];
}

/** The exact host, then its wildcards from the longest, then any host: until a map knows host and path. */
function lookupLines({ hasWildcards, restricts }: Frame): readonly string[] {
  const find = (when: string) => findLines(hasWildcards, when);
  return restricts ? lookingTwice(find) : find('');
}

function findLines(hasWildcards: boolean, when: string): readonly string[] {
  const unknown = `if !{ var(txn.be) -m found }${when === '' ? '' : ` ${when}`}`;
  const look = (prefix: string) => [
    `http-request set-var-fmt(txn.key) ${word(`%[var(txn.scope)]${prefix}%[var(txn.path)]`)} ${unknown}`,
    `http-request set-var(txn.be) var(txn.key),map_str(${mapFile('exact')}) ${unknown}`,
    `http-request set-var(txn.be) var(txn.key),map_beg(${mapFile('prefix')}) ${unknown}`,
  ];
  const wildcard = [
    `http-request set-var(txn.rest) var(txn.rest),field(2,.,0) ${unknown}`,
    ...look('*.%[var(txn.rest)]'),
  ];
  return [
    ...look('%[var(txn.host)]'),
    ...(hasWildcards
      ? [
          `http-request set-var(txn.rest) var(txn.host) ${unknown}`,
          ...Array(mostLabels).fill(wildcard).flat(),
        ]
      : []),
    ...look('*'),
  ];
}
