import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { targetKey, type VipService, type VipTarget } from '../../table.ts';
import { Affinity } from './affinity.ts';
import type { Listener } from './listener.ts';
import type { OpenCount } from './open-count.ts';
import { tryOrder } from './pick.ts';

export type Failures = { failed(target: string): void; ejected(): ReadonlySet<string> };

export type TcpOptions = {
  readonly open: OpenCount;
  readonly random: () => number;
  /** What was learned about backends from connections to them. */
  readonly failures: Failures;
  /** Upper bound for one attempt to reach a backend, in ms. */
  readonly connectMs: number;
  /** ms. */
  readonly now: () => number;
};

/** Listens on a TCP VIP. Rejects with the system's error when the port cannot be bound. */
export async function listenTcp(service: VipService, options: TcpOptions): Promise<Listener> {
  const state: State = {
    service,
    options,
    clients: new Set(),
    affinity: new Affinity(options.now),
    accepted: 0,
  };
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) =>
    accept(state, client),
  );
  await bound(server, service);
  return {
    use: (next) => {
      state.service = next;
    },
    ended: once(server, 'close'),
    close: () => new Promise((resolve) => closeListening(server, resolve)),
    abort: () => {
      for (const client of state.clients) client.resetAndDestroy();
    },
    get accepted() {
      return state.accepted;
    },
  };
}

type State = {
  service: VipService;
  readonly options: TcpOptions;
  readonly clients: Set<Socket>;
  readonly affinity: Affinity;
  accepted: number;
};

function accept(state: State, client: Socket): void {
  state.accepted++;
  state.clients.add(client);
  client.on('close', () => state.clients.delete(client));
  client.on('error', () => client.destroy());
  const { random, open, failures } = state.options;
  const { remoteAddress: address = '', remotePort: port = 0 } = client;
  const chooser = {
    random,
    open: (key: string) => open.of(key),
    ejected: failures.ejected(),
    stays: state.affinity.of(state.service, address),
  };
  const backends = tryOrder(state.service, { address, port }, chooser);
  attempt(backends, state, client);
}

/** Connects to the first backend that answers; when none does the client sees what it would have seen: a refusal. */
function attempt([target, ...others]: readonly VipTarget[], state: State, client: Socket): void {
  if (client.destroyed) return;
  if (target === undefined) {
    client.resetAndDestroy();
    return;
  }
  const upstream = connect({ host: target.address, port: target.port, allowHalfOpen: true, noDelay: true });
  const next = (): void => {
    state.options.failures.failed(targetKey('tcp', target));
    upstream.destroy();
    attempt(others, state, client);
  };
  upstream.setTimeout(state.options.connectMs, next);
  upstream.once('error', next);
  upstream.once('connect', () => {
    upstream.setTimeout(0);
    upstream.off('timeout', next).off('error', next);
    if (client.remoteAddress !== undefined) state.affinity.went(state.service, client.remoteAddress, target);
    if (client.destroyed) upstream.destroy();
    else join(client, upstream, state.options.open.enter(targetKey('tcp', target)));
  });
}

/** Both directions, each ended on its own (half-close), each slowed by its own reader. A failure of one fails the other. */
function join(client: Socket, upstream: Socket, leave: () => void): void {
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.setKeepAlive(true, 60_000);
    from.on('error', () => to.resetAndDestroy());
    from.on('close', () => {
      if (!from.readableEnded || !from.writableFinished) to.resetAndDestroy();
    });
    from.pipe(to);
  }
  upstream.on('close', leave);
  client.resume();
}

function bound(server: Server, service: VipService): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: service.address, port: service.port, backlog: 1_024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** The port is free as soon as the handle is closed; `close` calls back only after the last connection. */
function closeListening(server: Server, done: () => void): void {
  server.close();
  setImmediate(done);
}
