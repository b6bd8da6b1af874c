/** The app behind the labels in these tests: says who was asked what, on each of its ports. A program by itself. */
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

export type Echo = {
  readonly app: string;
  readonly task: string;
  /** Which of the app's ports. */
  readonly index: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
};

const { PORTS = '', MARATHON_APP_ID: app, MESOS_TASK_ID: task } = process.env;
let healthy = true;

for (const [index, port] of PORTS.split(',').entries())
  createServer(async ({ url = '/', headers }, response) => {
    const asked = new URL(url, 'http://echo').searchParams;
    if (asked.has('sick')) healthy = false;
    if (asked.has('ms')) await pause(Number(asked.get('ms')));
    const location = asked.get('location');
    const status = url.startsWith('/health') && !healthy ? 500 : location === null ? 200 : 302;
    response.writeHead(status, location === null ? {} : { location });
    response.end(JSON.stringify({ app, task, index, url, headers }));
  }).listen(Number(port));

process.on('SIGTERM', () => process.exit(0));
