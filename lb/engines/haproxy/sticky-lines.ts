import { plainName } from '../../../core/model/haproxy-lacks.ts';
import type { RouteOptions } from '../../../core/model/route.ts';
import { stickyCookie } from '../../edge/routes/sticky.ts';
import { mapFile } from './map-commands.ts';
import { self } from './sections.ts';
import { word } from './words.ts';

export function cookieOf({ sticky, stickyCookie: name = stickyCookie }: RouteOptions): string | undefined {
  return sticky === true && plainName.test(name) ? name : undefined;
}

/**
 * A client stays with the server that its cookie names. HAProxy's own way with cookies cannot give one to a server that comes while it
 * runs, so a map says who is who (slot-changes.ts).
 */
export function stickyLines(options: RouteOptions): readonly string[] {
  const name = cookieOf(options);
  if (name === undefined) return [];
  const look = (key: string) => `var(${key}),map_str(${mapFile('cookies')})`;
  const pattern = name.replace(/[^A-Za-z0-9_]/g, '\\$&');
  return [
    `http-request set-var-fmt(txn.cookie) ${self}>%[req.cook(${name})] if { req.cook(${name}) -m found }`,
    `http-request set-var(txn.wanted) ${look('txn.cookie')}`,
    `http-request replace-header Cookie ${word(`^(.*; *)?${pattern}=[^;]*; *(.*)$`)} ${word('\\1\\2')}`,
    `http-request replace-header Cookie ${word(`^(?:(.*?); *)?${pattern}=[^;]*$`)} ${word('\\1')}`,
    'http-request del-header Cookie if { req.fhdr(cookie) -m len 0 }',
    'use-server %[var(txn.wanted)] if { var(txn.wanted) -m found }',
    `http-response set-var-fmt(txn.taken) ${self}<%[srv_name]`,
    `http-response set-var(txn.named) ${look('txn.taken')}`,
    'acl kept srv_name,strcmp(txn.wanted) eq 0',
    `http-response add-header Set-Cookie ${word(`${name}=%[var(txn.named)]; Path=/`)} if { var(txn.named) -m found } !kept`,
    'http-response add-header Cache-Control private if { var(txn.named) -m found } !kept',
  ];
}
