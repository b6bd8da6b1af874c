/** http-proxy as a peer of the edge, as it comes: hosts from a map, X-Forwarded fields, upstream connections not kept. */
import { createServer } from 'node:http';
import { createProxyServer } from 'http-proxy-3';
import { hostCount, hostName, ports } from './edge-peers.ts';

const target = `http://127.0.0.1:${ports.backend}`;
const targets = new Map(Array.from({ length: hostCount }, (_, n) => [hostName(n), target]));
const proxy = createProxyServer({ xfwd: true });

createServer((request, response) => {
  const found = targets.get(request.headers.host ?? '');
  if (found === undefined) response.writeHead(404).end();
  else proxy.web(request, response, { target: found });
}).listen(ports.httpProxy, '127.0.0.1', 4_096);
