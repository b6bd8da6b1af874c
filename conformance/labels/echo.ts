/** The app behind the labels in these tests: says who was asked what, on each of its ports. A program by itself. */
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';

export type Echo = {
  readonly app: string;
  readonly task: string;
  /** Which of the app's ports. */
  readonly index: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
};

const { PORTS = '', MARATHON_APP_ID: app, MESOS_TASK_ID: task, TLS_KEY: key, TLS_CERT: cert } = process.env;
const ports = PORTS.split(',').map(Number);
let healthy = true;

function answers(index: number): RequestListener {
  return async ({ url = '/', headers }, response) => {
    const asked = new URL(url, 'http://echo').searchParams;
    if (asked.has('sick')) healthy = false;
    if (asked.has('ms')) await pause(Number(asked.get('ms')));
    const location = asked.get('location');
    const status = url.startsWith('/health') && !healthy ? 500 : location === null ? 200 : 302;
    response.writeHead(status, location === null ? {} : { location });
    response.end(JSON.stringify({ app, task, index, url, headers }));
  };
}

// Given a key, the last port speaks TLS.
for (const [index, port] of ports.entries()) {
  const isSecure = key !== undefined && index === ports.length - 1;
  const server = isSecure ? createSecure({ key, cert }, answers(index)) : createServer(answers(index));
  server.listen(port);
}

process.on('SIGTERM', () => process.exit(0));
