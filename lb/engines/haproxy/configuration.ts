import type { EdgeSettings } from '../../edge/settings.ts';
import { scriptFile } from './ask-script.ts';
import { doorTable, isHttpDoor, streamSection } from './doors.ts';
import { errorTexts } from './error-pages.ts';
import { type Frame, fileNames } from './frame.ts';
import { answer, pageWords } from './page-lines.ts';
import { publicLines } from './public-lines.ts';

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
    ...(frame.doors.some(isHttpDoor) ? [section('frontend public from requests', publicLines(frame))] : []),
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
