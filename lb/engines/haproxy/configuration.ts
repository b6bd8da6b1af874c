import { appIdField, appIdTable } from '../../../core/model/app-id-table.ts';
import { tableOf } from '../../../core/model/listener.ts';
import type { EdgeSettings } from '../../edge/settings.ts';
import { addressAcl } from './acls.ts';
import { scriptFile } from './ask-script.ts';
import { type Door, doorLines, doorTable, isHttpDoor, publicBinds, streamSection } from './doors.ts';
import { errorTexts } from './error-pages.ts';
import { logLines, notedLines, requestFields } from './log-lines.ts';
import { mapFile } from './map-commands.ts';
import { misdirectionLines } from './misdirection-lines.ts';
import { answer, because, pageWords } from './page-lines.ts';
import { word } from './words.ts';

export type Frame = {
  readonly settings: EdgeSettings;
  /** Where it takes commands. */
  readonly control: string;
  readonly doors: readonly Door[];
  /** Nobody has given a table yet. */
  readonly isEmpty: boolean;
  readonly hasWildcards: boolean;
  /** Some clients are asked for certificates. */
  readonly asks: boolean;
  /** Some backends call the script. */
  readonly isScripted: boolean;
  /** Rules that find out what chains ask for, and those of the chains. */
  readonly facts: readonly string[];
  readonly chains: readonly string[];
  readonly backends: readonly string[];
};

/** Files in HAProxy's own folder, beside the maps. */
export const fileNames = { configuration: 'haproxy.cfg', scopes: 'scopes.map', sick: 'sick.state' } as const;

/** No host has more labels than it takes to be longer than 253 characters; more than this nobody uses. */
const mostLabels = 12;
const noTable = { status: 503, why: 'no-table', text: 'The edge has no routes yet.' };
const noRoute = {
  status: 404,
  why: 'no-route',
  text: 'No route leads from this host and path to a service.',
};

/** The whole configuration. */
export function configurationText(frame: Frame): string {
  const streams = frame.doors.filter((door) => !isHttpDoor(door));
  const parts = [
    section('global', globalLines(frame)),
    section('defaults requests', defaultLines(frame.settings)),
    section('defaults streams', streamDefaultLines(frame.settings)),
    doorTable,
    ...(frame.doors.some(isHttpDoor) ? [section('frontend public from requests', frontendLines(frame))] : []),
    ...streams.map((door) => streamSection(door, frame.settings)),
    section('backend nowhere from requests', answer(frame.isEmpty ? noTable : noRoute)),
    ...frame.backends,
  ];
  return `${parts.join('\n\n')}\n`;
}

export function section(head: string, lines: readonly string[]): string {
  return [head, ...lines.map((line) => `  ${line}`)].join('\n');
}

function globalLines({ control, settings, asks, isScripted }: Frame): readonly string[] {
  return [
    `stats socket unix@${control} mode 600 level admin`,
    'stats timeout 24d',
    `server-state-file ${fileNames.sick}`,
    'expose-experimental-directives',
    `hard-stop-after ${settings.tunnelMs}ms`,
    'tune.bufsize 32768',
    `tune.http.maxhdr ${settings.maxFields}`,
    'tune.pool-low-fd-ratio 20',
    // A session would bring along what was verified for another name.
    ...(isScripted ? [`lua-load-per-thread ${scriptFile}`] : []),
    ...(asks ? ['tune.ssl.cachesize 0'] : []),
    `ssl-default-bind-options ssl-min-ver TLSv${settings.minTls} no-tls-tickets prefer-client-ciphers`,
    'ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
    'ssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305',
  ];
}

const serverLines = [
  'default-server init-addr last,none pool-purge-delay 1s',
  'load-server-state-from-file global',
];

function defaultLines(settings: EdgeSettings): readonly string[] {
  return [
    'mode http',
    `timeout connect ${settings.connectMs}ms`,
    `timeout client ${settings.bodyMs}ms`,
    `timeout http-request ${settings.headMs}ms`,
    `timeout http-keep-alive ${settings.idleMs}ms`,
    `timeout server ${settings.answerMs}ms`,
    `timeout tunnel ${settings.tunnelMs}ms`,
    // Who has closed one side and forgotten the other keeps no process.
    `timeout client-fin ${settings.answerMs}ms`,
    `timeout server-fin ${settings.answerMs}ms`,
    'timeout queue 30s',
    'option dontlognull',
    // A process that is replaced closes a connection with the next answer, never under a client that is about to ask.
    'option idle-close-on-response',
    'option redispatch 1',
    'retries 3',
    'retry-on conn-failure empty-response',
    ...serverLines,
    ...[...errorTexts].map(([status, text]) => `http-error ${pageWords({ status, text })}`),
  ];
}

/** How long a connection may be quiet is said by its listener: what moves on one side is seen on the other. */
function streamDefaultLines(settings: EdgeSettings): readonly string[] {
  return [
    'mode tcp',
    `timeout connect ${settings.connectMs}ms`,
    'timeout client 24d',
    'timeout server 24d',
    'timeout queue 30s',
    'option dontlognull',
    'option redispatch 1',
    'retries 3',
    ...serverLines,
  ];
}

function frontendLines(frame: Frame): readonly string[] {
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
    ...pathLines,
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
const pathLines: readonly string[] = [
  'http-request set-var(txn.given) pathq if { pathq -m sub % /. }',
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
function lookupLines({ hasWildcards }: Frame): readonly string[] {
  const unknown = 'unless { var(txn.be) -m found }';
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
