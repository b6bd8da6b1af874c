import type { Listener } from '../../../core/model/listener.ts';
import { plainAddress } from '../../edge/request/client-facts.ts';
import type { AccessEntry } from '../../edge/telemetry/access-log.ts';
import { errorTexts } from './error-pages.ts';
import { requestFields, streamFields } from './log-lines.ts';

/** Whom the names in a line stand for, and when it is. */
export type RecordNames = {
  readonly routeOf: (backend: string) => string | undefined;
  readonly endpointOf: (server: string) => string | undefined;
  readonly listenerOf: (door: number) => Listener | undefined;
  /** ms since the epoch. */
  readonly now: () => number;
};

/** An entry that was over when HAProxy said so. */
export type LogRecord = AccessEntry & { readonly totalMs: number };

type Values = (name: string) => string | undefined;

/** One line of HAProxy's log; undefined: it is not whole. */
export function recordOf(line: string, names: RecordNames): LogRecord | undefined {
  return line.startsWith('s ')
    ? streamRecord(valuesOf(line, streamPlaces), names)
    : requestRecord(valuesOf(line, requestPlaces), names);
}

/** What it says of itself is not for the access log: that a listener ends, that a server is sick. */
export function isOfItself(line: string): boolean {
  return /^[A-Z]/.test(line);
}

type Places = ReadonlyMap<string, number>;

const requestPlaces = placesOf(requestFields);
const streamPlaces = placesOf(streamFields);

function placesOf(fields: object): Places {
  return new Map(Object.keys(fields).map((name, n) => [name, n]));
}

function valuesOf(line: string, places: Places): Values | undefined {
  const values = line.split(' ');
  if (values.length !== places.size) return undefined;
  return (name) => {
    const value = values[places.get(name) ?? -1];
    return value === '-' ? undefined : value;
  };
}

function requestRecord(of: Values | undefined, names: RecordNames): LogRecord | undefined {
  if (of === undefined) return undefined;
  const headMs = Math.max(0, msOf(of('headMs')) ?? 0);
  const totalMs = Math.max(0, (msOf(of('activeMs')) ?? 0) - headMs);
  const status = Math.max(0, Number(of('status')));
  const [path, query] = targetOf(of('target'));
  const isRead = of('method') !== '<BADREQ>';
  return {
    begunAt: msOf(of('at')) ?? names.now() - totalMs,
    ...(of('id') === undefined ? {} : { id: textOf(of('id')) ?? '' }),
    client: plainAddress(of('peer') ?? of('client')),
    scheme: of('secure') === '1' ? 'https' : 'http',
    protocol: of('protocol') ?? 'HTTP/1.1',
    tls: of('tls'),
    host: textOf(of('host')),
    method: isRead ? of('method') : undefined,
    ...{ path, query, status },
    ...bytesOf(of),
    connectMs: connectOf(of),
    firstByteMs: firstByteOf(of),
    ...placeOf(of, names),
    retries: Number(/\d+/.exec(of('retries') ?? '')?.[0] ?? 0),
    why: of('why') ?? whyOf(of('end') ?? '--', status),
    totalMs,
  };
}

function streamRecord(of: Values | undefined, names: RecordNames): LogRecord | undefined {
  if (of === undefined) return undefined;
  const listener = names.listenerOf(Number(of('door')));
  const totalMs = msOf(of('totalMs')) ?? 0;
  return {
    begunAt: msOf(of('at')) ?? names.now() - totalMs,
    client: plainAddress(of('client')),
    scheme: listener?.protocol === 'tls-passthrough' ? 'tls' : 'tcp',
    ...(listener === undefined ? {} : { listener: listener.id }),
    host: textOf(of('host')),
    ...bytesOf(of),
    connectMs: connectOf(of),
    ...placeOf(of, names),
    why: streamReasons.get(of('why') ?? ''),
    totalMs,
  };
}

/** As the other engine says it (lb/edge/l4/stream-route.ts). */
const streamReasons: ReadonlyMap<string, string> = new Map([
  ['no-route', 'no route'],
  ['address', 'this address may not use the service'],
  ['maintenance', 'maintenance'],
  ['client-limit', 'limit of the client'],
  ['route-limit', 'limit of the route'],
]);

function bytesOf(of: Values): { readonly bytesIn: number; readonly bytesOut: number } {
  return { bytesIn: Number(of('bytesIn') ?? 0), bytesOut: Number(of('bytesOut') ?? 0) };
}

function placeOf(of: Values, { routeOf, endpointOf }: RecordNames) {
  const server = of('server') ?? '';
  return {
    route: routeOf(of('backend') ?? ''),
    // A spare is the same endpoint.
    endpoint: /^[sp][0-9a-f]{12}$/.test(server) ? endpointOf(`s${server.slice(1)}`) : undefined,
  };
}

/** HAProxy says 0 of a connection that was there already: what takes less than one is not told either. */
function connectOf(of: Values): number | undefined {
  return msOf(of('connectMs')) || undefined;
}

function firstByteOf(of: Values): number | undefined {
  const parts = [msOf(of('waitMs')), msOf(of('connectMs')), msOf(of('answerMs'))];
  return parts.includes(undefined) ? undefined : parts.reduce<number>((sum, part) => sum + (part ?? 0), 0);
}

/** -1: it did not come to that. A plus means that it goes on. */
function msOf(text: string | undefined): number | undefined {
  const ms = Number(text ?? -1);
  return ms >= 0 ? ms : undefined;
}

function targetOf(text: string | undefined): readonly [path?: string, query?: string] {
  const target = textOf(text);
  if (target === undefined) return [];
  const mark = target.indexOf('?');
  if (mark === -1) return [target];
  return [target.slice(0, mark), target.slice(mark + 1)];
}

/** One character per byte, as the other engine reads heads. */
function textOf(coded: string | undefined): string | undefined {
  return coded?.replace(/%([0-9A-F]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/** By which side ended it, and in which phase (HAProxy's manual, "Session state at disconnection"). */
function whyOf([side = '-', phase = '-']: string, status: number): string | undefined {
  if (side === '-' || side === 'L') return undefined;
  if (side === 'C' && phase !== 'R') return 'client-gone';
  if (phase === 'D' || phase === 'L') return side === 'c' ? 'client-gone' : 'answer-broken';
  return errorTexts.get(status) ?? (side === 'C' || side === 'c' ? 'client-gone' : undefined);
}
