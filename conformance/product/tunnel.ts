import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Agent, type Dispatcher } from 'undici';

/** TCP connections of another network namespace, carried over a Unix socket, which knows no namespaces. */
export type Tunnel = {
  readonly pid: number;
  /** For undici: the host of a URL must be an address. */
  readonly dispatcher: Dispatcher;
  /** The same with a connection for each request. */
  readonly single: Dispatcher;
  /** Rejects with the code of the namespace's side (`ECONNREFUSED`). */
  connect(host: string, port: number): Promise<Socket>;
};

/** Ends with the namespace's processes. */
export async function openTunnel(
  inside: (argv: readonly string[]) => readonly [string, ...string[]],
  path: string,
): Promise<Tunnel> {
  const entry = fileURLToPath(new URL('tunnel-end.ts', import.meta.url));
  const [program, ...args] = inside([process.execPath, entry, path]);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  child.unref();
  const open = (host: string, port: number) => connectThrough(path, host, port);
  const connector: NonNullable<ConstructorParameters<typeof Agent>[0]>['connect'] = (options, done) => {
    open(options.hostname, Number(options.port || 80)).then(
      (socket) => done(null, socket),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), null),
    );
  };
  return {
    pid: child.pid ?? -1,
    connect: open,
    dispatcher: new Agent({ connect: connector, keepAliveTimeout: 1_000 }),
    single: new Agent({ connect: connector, pipelining: 0 }),
  };
}

/** The end answers a line when it is connected: empty, or why not. */
async function connectThrough(path: string, host: string, port: number): Promise<Socket> {
  const socket = connect(path);
  await once(socket, 'connect');
  socket.write(`${host} ${port}\n`);
  for (;;) {
    await once(socket, 'readable');
    const chunk: Buffer | null = socket.read();
    if (chunk === null && socket.readableEnded) throw new Error(`${host}:${port}: no answer`);
    if (chunk === null) continue;
    const end = chunk.indexOf(10);
    const answer = chunk.toString('latin1', 0, end);
    if (chunk.length > end + 1) socket.unshift(chunk.subarray(end + 1));
    if (answer === '') return socket;
    socket.destroy();
    throw Object.assign(new Error(`${host}:${port}: ${answer}`), { code: answer });
  }
}
