import { type Fault, faults } from '../http1/fault.ts';
import { parseHost } from '../http1/host.ts';
import { type RequestHead, readRequest, scanRequest } from '../http1/request-head.ts';
import type { Scratch } from '../wire/scratch.ts';

/** A request of HTTP/2 as HTTP/1.1 says the same: whatever judges or forwards requests then knows one form only. */
export type RequestText = {
  readonly text: string;
  /** Field lines in `text`. */
  readonly count: number;
  /** An extended CONNECT (RFC 8441): the stream is to become a WebSocket. */
  readonly webSocket: boolean;
};

export type TextOptions = {
  /** Content follows the head. */
  readonly more: boolean;
  /** For a WebSocket: what HTTP/1.1 wants as Sec-WebSocket-Key. */
  readonly webSocketKey: () => string;
};

/** They are about one connection of HTTP/1 and malform a request of HTTP/2 (RFC 9113 §8.2.2). */
const ofOneConnection = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** `raw`: names and values in turn, as they came. */
export function requestText(raw: readonly string[], options: TextOptions): RequestText | Fault {
  const parts = readParts(raw);
  if ('reason' in parts) return parts;
  const { pseudo, lines, count, hasLength } = parts;
  const host = hostOf(pseudo[':authority'], parts.host);
  if (typeof host === 'object') return host;
  const webSocket = pseudo[':protocol'] !== undefined;
  if (pseudo[':method'] === 'CONNECT' && !webSocket) return faults.method;
  if (webSocket && (pseudo[':protocol'] !== 'websocket' || pseudo[':method'] !== 'CONNECT'))
    return { status: 501, reason: 'unknown protocol in an extended CONNECT' };
  const first = `${webSocket ? 'GET' : pseudo[':method']} ${pseudo[':path']} HTTP/1.1\r\nHost: ${host}\r\n`;
  if (webSocket) {
    const upgrade = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${options.webSocketKey()}\r\n`;
    return { text: `${first}${upgrade}${lines}\r\n`, count: count + 4, webSocket };
  }
  const coding = options.more && !hasLength ? 'Transfer-Encoding: chunked\r\n' : '';
  return { text: `${first}${lines}${coding}\r\n`, count: count + (coding === '' ? 1 : 2), webSocket };
}

/** The head, judged as strictly as one of HTTP/1; no value may have become a line of its own. */
export function readHead({ text, count }: RequestText, scratch: Scratch): RequestHead | Fault {
  const { request } = scratch;
  const bytes = Buffer.from(text, 'latin1');
  const end = scanRequest(bytes, 0, bytes.length, request);
  if (end !== bytes.length) return end < -1 ? request.fields.fault : faults.fieldValue;
  if (request.fields.count !== count) return faults.fieldValue;
  return readRequest(text, request);
}

type Parts = {
  readonly pseudo: Readonly<Record<string, string>>;
  readonly host: string | undefined;
  readonly lines: string;
  readonly count: number;
  readonly hasLength: boolean;
};

function readParts(raw: readonly string[]): Parts | Fault {
  const pseudo: Record<string, string> = {};
  let host: string | undefined;
  let lines = '';
  let count = 0;
  let cookie: string | undefined;
  let hasLength = false;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const value = raw[i + 1]!;
    if (name.charCodeAt(0) === 58) pseudo[name] = value;
    else if (name === 'host') {
      if (host !== undefined) return faults.twoHosts;
      host = value;
      // RFC 9113 §8.2.3: a cookie may come in pieces.
    } else if (name === 'cookie') cookie = cookie === undefined ? value : `${cookie}; ${value}`;
    else if (ofOneConnection.has(name)) return faults.connection;
    else {
      hasLength ||= name === 'content-length';
      lines += `${name}: ${value}\r\n`;
      count++;
    }
  }
  if (cookie !== undefined) lines += `cookie: ${cookie}\r\n`;
  return { pseudo, host, lines, count: count + (cookie === undefined ? 0 : 1), hasLength };
}

/** RFC 9113 §8.3.1: `:authority` is the host; a Host beside it must say the same. */
function hostOf(authority: string | undefined, host: string | undefined): string | Fault {
  const named = authority ?? host;
  if (named === undefined) return faults.noHost;
  if (parseHost(named) === undefined) return faults.host;
  if (host !== undefined && host.toLowerCase() !== named.toLowerCase()) return faults.twoHosts;
  return named;
}
