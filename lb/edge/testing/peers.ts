import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Clock, systemClock } from '../../../core/kit/clock.ts';
import { Watched } from '../../../core/kit/watched.ts';
import { applyDelta, type Directory, type Endpoint, emptyDirectory } from '../../../core/model/directory.ts';
import type { Route } from '../../../core/model/route.ts';
import { BuiltinEngine } from '../../engines/builtin.ts';
import { buildTable } from '../routes/route-table.ts';
import type { EdgeSettings } from '../settings.ts';

/** Values and peers for the tests of this folder. */

export function endpoint(
  options: { app?: string; id?: string; port?: number; ready?: boolean } = {},
): Endpoint {
  const { app = '/web', id = `${app}-1`, port = 80, ready = true } = options;
  const address = '127.0.0.1';
  const place = { index: 0, protocols: ['tcp'], address, port, scope: 'host', labels: {} } as const;
  const ids = { instanceId: id, taskId: `${id}.1`, appId: app, agentId: 'agent' };
  return { ...ids, agentAddress: address, addresses: [], ports: [place], ready };
}

export function route(
  options: { id?: string; host?: string; pathPrefix?: string; app?: string } = {},
): Route {
  const { app = '/web', host = 'web.test', pathPrefix = '/', id = `${host}${pathPrefix}${app}` } = options;
  return { id, host, pathPrefix, service: { appId: app, portIndex: 0 }, owner: `app:${app}` };
}

/** A Directory with one route `web.test` to the app `/web`, and these endpoints. */
export function directory(revision: number, endpoints: readonly Endpoint[], routes = [route()]): Directory {
  const changes = { endpoints: { set: endpoints, gone: [] }, routes: { set: routes, gone: [] } };
  return applyDelta(emptyDirectory, { from: 0, revision, ...changes });
}

/** A raw server that records every byte it gets, per connection, and answers as `answer` says. */
export class RecordingBackend {
  readonly connections = new Watched<readonly Recorded[]>([]);
  readonly #server: Server;
  readonly #answer: (recorded: Recorded) => void;

  constructor(answer: (recorded: Recorded) => void) {
    this.#answer = answer;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#serve(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async start(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this.port;
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const { socket } of this.connections.value) socket.destroy();
  }

  /** All bytes of all connections. */
  get text(): string {
    return this.connections.value.map((connection) => connection.text.value).join('');
  }

  #serve(socket: Socket): void {
    const recorded = new Recorded(socket);
    this.connections.set([...this.connections.value, recorded]);
    socket.on('data', () => this.#answer(recorded));
  }
}

/** One side of a connection as a test sees it: all text so far, and whether it has ended. */
export class Recorded {
  readonly socket: Socket;
  readonly text = new Watched('');
  readonly ended = new Watched(false);
  readonly closed = new Watched(false);
  /** Requests answered so far; for the answering code to use. */
  answered = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.text.set(this.text.value + chunk.toString('latin1')));
    socket.on('end', () => this.ended.set(true));
    socket.on('error', () => {});
    socket.on('close', () => this.closed.set(true));
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Resolves when the other side has ended or reset the connection. */
  async over(): Promise<void> {
    await Promise.race([this.ended.until((value) => value), this.closed.until((value) => value)]);
  }

  /** Resolves with all text once it contains `part` `times` times; rejects when the connection closes before. */
  async until(part: string, times = 1): Promise<string> {
    const has = (text: string) => text.split(part).length > times;
    const over = [this.ended, this.closed].map(async (end) => {
      await end.until((value) => value);
      return this.text.value;
    });
    const text = await Promise.race([this.text.until(has), ...over]);
    if (!has(text)) throw new Error(`it ended before ${JSON.stringify(part)} came: ${JSON.stringify(text)}`);
    return text;
  }
}

/** A client that sends bytes as they are. */
export async function rawClient(port: number): Promise<Recorded> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const recorded = new Recorded(socket);
  await once(socket, 'connect');
  return recorded;
}

/** Answers each complete bodiless or length-framed request with 200 and `body`. */
export function answerEach(body = 'ok'): (recorded: Recorded) => void {
  const text = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  return (recorded) => {
    const heads = recorded.text.value.split('\r\n\r\n').length - 1;
    for (; recorded.answered < heads; recorded.answered++) recorded.send(text);
  };
}

/** An engine in this process with settings for tests. */
export function testEngine(settings: Partial<EdgeSettings> = {}, clock: Clock = systemClock): BuiltinEngine {
  let ids = 0;
  const dependencies = { clock, chance: Math.random, requestId: () => `id-${++ids}` };
  return new BuiltinEngine(dependencies, { httpPort: 0, stopMs: 100, ...settings });
}

export function portOfEngine(engine: BuiltinEngine): number {
  return engine.listening[0]!.port;
}

/** An engine with one route `web.test` to backends that answer as told, all ended with the test. */
export async function serveWith(
  t: { teardown(end: () => Promise<void>): void },
  answers: readonly ((recorded: Recorded) => void)[],
  settings: Partial<EdgeSettings> = {},
) {
  const engine = testEngine(settings);
  const backends = answers.map((answer) => new RecordingBackend(answer));
  const ports = await Promise.all(backends.map((backend) => backend.start()));
  const endpoints = ports.map((port, n) => endpoint({ id: `web-${n}`, port }));
  await engine.start();
  await engine.apply(buildTable(directory(1, endpoints)));
  t.teardown(async () => {
    await engine.stop();
    await Promise.all(backends.map((backend) => backend.stop()));
  });
  return { engine, backends, endpoints, port: portOfEngine(engine) };
}
