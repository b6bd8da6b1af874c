import { isHttp, type Listener } from '../../../core/model/listener.ts';
import type { EdgeSettings } from '../../edge/settings.ts';
import { reject } from './access-lines.ts';
import { addressAcl } from './acls.ts';
import { logLines, streamFields } from './log-lines.ts';
import { mapFile } from './map-commands.ts';

/** A listener whose socket HAProxy is lent. */
export type Door = {
  readonly listener: Listener;
  /** Unique over the engine's life. */
  readonly number: number;
  /** The socket's descriptor in HAProxy. */
  readonly fd: number;
  /** Of the table it serves, in maps; '' for the shared one. */
  readonly scope: string;
};

const usualIdleMs = 3_600_000;

export function isHttpDoor({ listener }: Door): boolean {
  return isHttp(listener.protocol);
}

/** Which certificates a door of https chooses from. */
export function certificateList({ number }: Pick<Door, 'number'>): string {
  return `certificates-${number}.list`;
}

/** Of a bind line in statistics. */
export function bindName({ number }: Pick<Door, 'number'>): string {
  return `l${number}`;
}

/** Connections that are open, by the number of their door. */
export const doorTable =
  'backend doors from requests\n  stick-table type integer size 10k expire 1h store conn_cur';

export function publicBinds(doors: readonly Door[], settings: EdgeSettings): readonly string[] {
  return doors.map((door) => {
    const { protocol, options: { minTls = settings.minTls } = {} } = door.listener;
    const secure = ` ssl crt-list ${certificateList(door)} alpn h2,http/1.1 ssl-min-ver TLSv${minTls} ca-ignore-err all crt-ignore-err all`;
    return `bind fd@${door.fd} id ${door.number} name ${bindName(door)}${protocol === 'https' ? secure : ''}`;
  });
}

/** What is asked of connections before anything is read. */
export function doorLines(door: Door): readonly string[] {
  const { acceptProxy, maxConnections } = door.listener.options ?? {};
  const here = `{ so_id ${door.number} }`;
  const proxies = `behind_${door.number}`;
  return [
    ...(acceptProxy === undefined || acceptProxy.length === 0
      ? []
      : [
          ...addressAcl(proxies, acceptProxy),
          `tcp-request connection expect-proxy layer4 if ${here} ${proxies}`,
        ]),
    ...(maxConnections === undefined
      ? []
      : [
          `tcp-request connection track-sc2 so_id table doors if ${here}`,
          `tcp-request connection reject if ${here} { sc2_conn_cur gt ${maxConnections} }`,
        ]),
  ];
}

/** A listener that is not HTTP. */
export function streamSection(door: Door, settings: EdgeSettings): string {
  const { listener } = door;
  const { idleMs = usualIdleMs } = listener.options ?? {};
  const lines = [
    'option socket-stats',
    `bind fd@${door.fd} id ${door.number} name ${bindName(door)}`,
    `timeout client ${idleMs}ms`,
    ...logLines(settings, streamFields),
    // Who was refused has transferred nothing.
    ...(settings.accessLog === undefined ? [] : ['no option dontlognull']),
    ...doorLines(door),
    ...(listener.protocol === 'tls-passthrough' ? nameLines(door, settings) : plainLines(door)),
    ...reject('no-route', 'unless { var(txn.be) -m found }'),
    'use_backend %[var(txn.be)]',
  ];
  return [`frontend ${bindName(door)} from streams`, ...lines.map((line) => `  ${line}`)].join('\n');
}

const found = `map_str(${mapFile('streams')})`;

function plainLines({ scope }: Door): readonly string[] {
  return [`tcp-request content set-var(txn.be) str(${scope}*),${found}`];
}

/** No name has more labels than anybody uses. */
const mostLabels = 12;

/** By the name in the client's hello: exact, then its wildcards from the longest, then any. */
function nameLines({ scope }: Door, { headMs }: EdgeSettings): readonly string[] {
  const set = 'tcp-request content set-var';
  const unknown = 'unless { var(txn.be) -m found }';
  const look = (name: string) => [
    `${set}-fmt(txn.key) '${scope}${name}' ${unknown}`,
    `${set}(txn.be) var(txn.key),${found} ${unknown}`,
  ];
  const wider = [`${set}(txn.rest) var(txn.rest),field(2,.,0) ${unknown}`, ...look('*.%[var(txn.rest)]')];
  return [
    `tcp-request inspect-delay ${headMs}ms`,
    'tcp-request content reject unless { req.ssl_hello_type 1 }',
    `${set}(txn.sni) req.ssl_sni,lower,rtrim(.)`,
    `${set}(txn.rest) var(txn.sni)`,
    ...look('%[var(txn.rest)]'),
    ...Array(mostLabels).fill(wider).flat(),
    ...look('*'),
  ];
}
