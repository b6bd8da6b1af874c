import type { FieldEdits, RouteOptions } from '../model/route.ts';
import { balanceOption } from './label-balance.ts';
import { milliseconds, serverWords } from './server-words.ts';

export type ReadLines = {
  readonly options: RouteOptions /** Lines that nothing comes of. */;
  readonly rest: readonly string[];
};

/**
 * What lines of HAProxy's configuration, as templates of marathon-lb have them, mean for a route (ingress.md B3; which ones:
 * docs/how-to/route-requests.md). Placeholders are filled in from `values`.
 */
export function readLines(text: string, values: Readonly<Record<string, string>>): ReadLines {
  const lines = filled(text, values)
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '' && !/^backend\b/.test(line));
  const read = lines.map((line) => ({ line, options: optionsOf(line) }));
  return {
    options: read.reduce<RouteOptions>((all, { options }) => merged(all, options ?? {}), {}),
    rest: read.filter(({ options }) => options === undefined).map(({ line }) => line),
  };
}

/** Options of two sources: what both speak of is of the later one, part by part. */
export function merged(one: RouteOptions, other: RouteOptions): RouteOptions {
  const timeouts = { ...one.timeouts, ...other.timeouts };
  const check = { ...one.check, ...other.check };
  const requestFields = mergedEdits(one.requestFields, other.requestFields);
  const answerFields = mergedEdits(one.answerFields, other.answerFields);
  return {
    ...one,
    ...other,
    ...(Object.keys(timeouts).length > 0 && { timeouts }),
    ...((one.check ?? other.check) && { check }),
    ...(requestFields && { requestFields }),
    ...(answerFields && { answerFields }),
  };
}

type Rule = { readonly pattern: RegExp; readonly means: (...groups: string[]) => RouteOptions | undefined };

const name = "([!#$%&'*+.^_`|~0-9A-Za-z-]+)";
const text = '"?([!-!#-~](?:[ -!#-~]*[!-!#-~])?)"?';

/** The first that fits a line decides. */
const rules: readonly Rule[] = [
  rule(/^balance (.+)$/, (value) => balanceOption(value)),
  rule(/^mode (http|tcp)$/, () => ({})),
  rule(/^default-server (.+)$/, (words) => {
    const { options, rest } = serverWords(words);
    return rest.length === 0 ? options : undefined;
  }),
  rule(/^timeout connect (\S+)$/, (time) => timeout('connectMs', time)),
  rule(/^timeout server (\S+)$/, (time) => {
    const ms = milliseconds(time);
    return ms === undefined ? undefined : { timeouts: { firstByteMs: ms, idleMs: ms } };
  }),
  rule(/^timeout check (\S+)$/, (time) => checked('timeoutMs', time)),
  rule(/^retries (\d{1,2})$/, (attempts) => ({ retries: { attempts: Math.min(10, Number(attempts)) } })),
  // What the edge does anyway.
  rule(/^option (forwardfor|redispatch|http-keep-alive|http-server-close|dontlognull)$/, () => ({})),
  rule(/^http-request (set|add)-header X-Forwarded-(Port|Proto|Host|For) .*$/i, () => ({})),
  // The edge asks with GET, which is answered as these are.
  rule(
    /^option +httpchk(?: (?:GET|HEAD|OPTIONS))? (\/\S*?)(?: HTTP\/1\.[01](?:\\r\\n[Hh]ost:(?:\\ | )*([A-Za-z0-9._-]+))?)?$/,
    (path, host) => ({ check: { path, ...(host !== undefined && { host: host.toLowerCase() }) } }),
  ),
  rule(/^http-request set-header Host "?([A-Za-z0-9._-]+)"?$/i, (host) => ({
    rewriteHost: host.toLowerCase(),
  })),
  rule(/^redirect scheme https code 301 (?:if !\{ ssl_fc \}|unless \{ ssl_fc \})$/, () => ({
    redirectToHttps: true,
  })),
  rule(/^option (tcp-check|httpchk)$/, () => ({ check: {} })),
  rule(new RegExp(`^http-request set-header ${name} ${text}$`), (key, value) =>
    edits('requestFields', { set: { [key]: value } }),
  ),
  rule(new RegExp(`^http-request add-header ${name} ${text}$`), (key, value) =>
    edits('requestFields', { add: { [key]: value } }),
  ),
  rule(new RegExp(`^http-request del-header ${name}$`), (key) => edits('requestFields', { remove: [key] })),
  rule(new RegExp(`^http-response set-header ${name} ${text}$`), (key, value) =>
    edits('answerFields', { set: { [key]: value } }),
  ),
  rule(new RegExp(`^http-response add-header ${name} ${text}$`), (key, value) =>
    edits('answerFields', { add: { [key]: value } }),
  ),
  rule(new RegExp(`^http-response del-header ${name}$`), (key) => edits('answerFields', { remove: [key] })),
  rule(/^rspadd {1,2}([A-Za-z0-9-]+):\\? ?(.+)$/, (key, value) =>
    edits('answerFields', { add: { [key]: value.replaceAll('\\ ', ' ') } }),
  ),
  rule(new RegExp(`^cookie ${name}(?: (?:insert|indirect|nocache|httponly))*$`), (stickyCookie) => ({
    sticky: true,
    stickyCookie,
  })),
];

/** The words after a server's address: `check inter 10s fall 3`. */
export function readServerWords(text: string, values: Readonly<Record<string, string>>): ReadLines {
  const { options, rest } = serverWords(filled(text, values));
  return { options, rest };
}

/** Lines of `server {serverName} {host_ipv4}:{port} …`, of which the words after the address count. */
export function readServerLines(text: string, values: Readonly<Record<string, string>>): ReadLines {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const read = lines.map((line): ReadLines => {
    const [, words] = /^server +\{serverName\} +\{host(?:_ipv4)?\}:\{port\}(.*)$/.exec(line) ?? [];
    // Real labels put lines of the backend here too.
    if (words === undefined) return readLines(line, values);
    const named = { serverId: '0', cookieOptions: '', healthCheckOptions: '', otherOptions: '', ...values };
    return readServerWords(words, named);
  });
  return {
    options: read.reduce<RouteOptions>((all, { options }) => merged(all, options), {}),
    rest: read.flatMap(({ rest }) => rest),
  };
}

function rule(pattern: RegExp, means: (...groups: string[]) => RouteOptions | undefined): Rule {
  return { pattern, means };
}

function optionsOf(line: string): RouteOptions | undefined {
  for (const { pattern, means } of rules) {
    const match = pattern.exec(line);
    if (match !== null) return means(...match.slice(1));
  }
  return undefined;
}

/** `{name}` becomes its value; doubled braces are braces. One without a value stays, so its line is reported. */
function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{|\}\}|\{(\w+)\}/g, (found, key: string | undefined) => {
    if (key === undefined) return found[0] ?? '';
    return Object.hasOwn(values, key) ? (values[key] ?? '') : found;
  });
}

function timeout(which: 'connectMs', time: string): RouteOptions | undefined {
  const ms = milliseconds(time);
  return ms === undefined ? undefined : { timeouts: { [which]: ms } };
}

function checked(which: 'timeoutMs', time: string): RouteOptions | undefined {
  const ms = milliseconds(time);
  return ms === undefined ? undefined : { check: { [which]: ms } };
}

/** Fields of the framing and values that HAProxy would compute cannot be had. */
function edits(where: 'requestFields' | 'answerFields', change: FieldEdits): RouteOptions | undefined {
  const names = [...(change.remove ?? []), ...Object.keys({ ...change.set, ...change.add })];
  const values = Object.values({ ...change.set, ...change.add });
  if (values.some((value) => value.includes('%[') || / (if|unless) /.test(value))) return undefined;
  if (
    names.some((one) => /^(connection|content-length|host|te|trailer|transfer-encoding|upgrade)$/i.test(one))
  )
    return undefined;
  return { [where]: change };
}

function mergedEdits(one: FieldEdits | undefined, other: FieldEdits | undefined): FieldEdits | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const remove = [...(one.remove ?? []), ...(other.remove ?? [])];
  const [set, add] = [
    { ...one.set, ...other.set },
    { ...one.add, ...other.add },
  ];
  return {
    ...(remove.length > 0 && { remove }),
    ...(Object.keys(set).length > 0 && { set }),
    ...(Object.keys(add).length > 0 && { add }),
  };
}
