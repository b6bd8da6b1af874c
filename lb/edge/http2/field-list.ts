/** They end at the edge: HTTP/2 frames by itself, and a WebSocket over it has no handshake (RFC 8441 §5). */
const left = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'sec-websocket-accept']);

/** Field lines (each with its CRLF) as names and values in turn, names in lower case, after what is given. */
export function fieldList(lines: string, list: string[] = []): string[] {
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf('\r\n', at);
    const colon = lines.indexOf(':', at);
    const name = lines.slice(at, colon).toLowerCase();
    if (!left.has(name)) list.push(name, lines.slice(colon + 1, end).trim());
    at = end + 2;
  }
  return list;
}
