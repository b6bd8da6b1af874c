/**
 * Clients that notice everything, for long measurements: requests by the clock over kept connections of HTTP and HTTPS and over new
 * ones, and WebSockets that are written to now and then. Prints `ready`, and a SteadyReport when its standard input ends.
 */
import { Agent, type ClientRequest, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { percentile, type SteadyOptions } from './report.ts';

const { host, http, https, rate, sockets } = JSON.parse(process.argv[2] ?? '') as SteadyOptions;
const plain = new Agent({ keepAlive: true, maxSockets: 64 });
const secure = new HttpsAgent({ keepAlive: true, maxSockets: 16 });
const tickMs = 10;
const newConnectionEvery = 40;
const failures: Record<string, number> = {};
const certificates = new Set<string>();
const waits: number[] = [];
const pending = new Set<Promise<void>>();
let sent = 0;

function fail(what: string): void {
  failures[what] = (failures[what] ?? 0) + 1;
}

/** A quarter goes over TLS, and now and then over a connection of its own. */
function call(n: number): ClientRequest {
  const common = { host: '127.0.0.1', headers: { host }, timeout: 10_000 };
  if (n % 4 !== 0) return httpRequest({ ...common, port: http, agent: plain });
  const isNew = n % newConnectionEvery === 0;
  const names = { servername: host, rejectUnauthorized: false };
  return httpsRequest({ ...common, ...names, port: https, agent: isNew ? false : secure });
}

function ask(n: number, dueAt: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const asked = call(n);
  asked.on('response', (response) => {
    if (response.statusCode !== 200) fail(`status ${response.statusCode}`);
    if (n % newConnectionEvery === 0)
      certificates.add((response.socket as TLSSocket).getPeerCertificate().fingerprint256);
    response.on('error', (error) => fail(error.message));
    response.resume();
    response.on('close', () => {
      waits.push(performance.now() - dueAt);
      resolve();
    });
  });
  asked.on('timeout', () => asked.destroy(new Error('no answer in 10 s')));
  asked.on('error', (error) => {
    fail(error.message);
    resolve();
  });
  asked.end();
  return promise;
}

/** A WebSocket as the edge sees one: bytes that must come back as they are. */
class Echo {
  readonly #socket: Socket;
  #waiting = '';
  #ready = false;
  lost = false;
  echoes = 0;
  readonly opened: Promise<void>;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.opened = promise;
    this.#socket = connect({ host: '127.0.0.1', port: http, noDelay: true });
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==';
    this.#socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n${upgrade}\r\n\r\n`);
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.lost = true;
      resolve();
    });
    this.#socket.on('data', (bytes: Buffer) => {
      if (this.#ready) this.#got(bytes.toString('latin1'));
      this.#ready = true;
      resolve();
    });
  }

  say(text: string): void {
    this.#waiting += text;
    this.#socket.write(text, 'latin1');
  }

  get isHeard(): boolean {
    return !this.lost && this.#waiting === '';
  }

  #got(text: string): void {
    if (!this.#waiting.startsWith(text)) this.lost = true;
    this.#waiting = this.#waiting.slice(text.length);
    this.echoes++;
  }
}

const echoes = Array.from({ length: sockets }, () => new Echo());
await Promise.all(echoes.map(({ opened }) => opened));
const startedAt = performance.now();
const timer = setInterval(() => {
  const due = Math.floor(((performance.now() - startedAt) * rate) / 1_000);
  for (; sent < due; sent++) {
    const one = ask(sent, startedAt + (sent * 1_000) / rate);
    pending.add(one);
    void one.then(() => pending.delete(one));
    if (sent % 20 === 0) echoes[(sent / 20) % echoes.length]?.say(`message ${sent};`);
  }
}, tickMs);
console.log('ready');
process.stdin.resume();
process.stdin.on('end', async () => {
  clearInterval(timer);
  await Promise.all(pending);
  const deadline = performance.now() + 5_000;
  const left = () => echoes.filter((echo) => !echo.isHeard);
  while (left().length > 0 && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const report = {
    ...{ sent, answered: waits.length, failures, certificates: certificates.size },
    ...{
      sockets: echoes.length,
      lost: left().length,
      echoes: echoes.reduce((sum, echo) => sum + echo.echoes, 0),
    },
    ...{
      p50Ms: percentile(waits, 0.5),
      p99Ms: percentile(waits, 0.99),
      seconds: (performance.now() - startedAt) / 1_000,
    },
  };
  console.log(JSON.stringify(report));
  process.exit(0);
});
