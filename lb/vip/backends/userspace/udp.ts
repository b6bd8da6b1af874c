import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { targetKey, type VipService, type VipTarget } from '../../table.ts';
import { Affinity } from './affinity.ts';
import type { Listener } from './listener.ts';
import { tryOrder } from './pick.ts';

export type UdpOptions = {
  readonly random: () => number;
  readonly now: () => number;
  /** A flow without datagrams for this long is forgotten, in ms. */
  readonly idleMs: number;
  /** Most flows of one service; the one idle for longest makes room. */
  readonly maxFlows: number;
};

export interface UdpListener extends Listener {
  /** Forgets flows that have been idle for too long. */
  sweep(): void;
}

/** Listens on a UDP VIP. A client's address and port stay with one backend while it is in the table. */
export async function listenUdp(service: VipService, options: UdpOptions): Promise<UdpListener> {
  const socket = createSocket(isIPv6(service.address) ? 'udp6' : 'udp4');
  const flows = new Flows(socket, service, options);
  await bound(socket, service);
  socket.on('error', () => {});
  socket.on('message', (data, client) => flows.forward(data, client));
  return {
    use: (next) => flows.use(next),
    close: async () => {
      flows.clear();
      socket.close();
      await once(socket, 'close');
    },
    ended: once(socket, 'close'),
    abort: () => flows.clear(),
    sweep: () => flows.sweep(),
    get accepted() {
      return flows.accepted;
    },
  };
}

type Flow = {
  readonly client: RemoteInfo;
  readonly key: string;
  readonly target: VipTarget;
  readonly upstream: Socket;
  usedAt: number;
  /** Datagrams that came before the socket was ready; undefined from then on. */
  waiting: Buffer[] | undefined;
};

const maxWaiting = 64;
/** How long answers of a backend that left still get to their clients, ms. */
const lateMs = 5_000;

/** The flows of one service, least recently used first. */
class Flows {
  accepted = 0;
  readonly #socket: Socket;
  readonly #options: UdpOptions;
  readonly #flows = new Map<string, Flow>();
  /** Of backends that left: their clients' next datagrams begin anew, and answers under way still get there. */
  readonly #left = new Set<Flow>();
  readonly #affinity: Affinity;
  #service: VipService;

  constructor(socket: Socket, service: VipService, options: UdpOptions) {
    this.#socket = socket;
    this.#service = service;
    this.#options = options;
    this.#affinity = new Affinity(options.now);
  }

  use(service: VipService): void {
    this.#service = service;
    const present = new Set(service.backends.map((target) => targetKey('udp', target)));
    for (const flow of this.#flows.values()) {
      if (!present.has(targetKey('udp', flow.target))) this.#leave(flow);
    }
  }

  forward(data: Buffer, client: RemoteInfo): void {
    const key = `${client.address}:${client.port}`;
    const flow = this.#flows.get(key) ?? this.#begin(key, client);
    if (flow === undefined) return;
    flow.usedAt = this.#options.now();
    this.#flows.delete(key);
    this.#flows.set(key, flow);
    if (flow.waiting === undefined) flow.upstream.send(data);
    else if (flow.waiting.length < maxWaiting) flow.waiting.push(data);
  }

  sweep(): void {
    const now = this.#options.now();
    for (const flow of this.#left) if (now - flow.usedAt > lateMs) this.#drop(flow);
    const oldest = now - this.#options.idleMs;
    for (const flow of this.#flows.values()) {
      if (flow.usedAt > oldest) return;
      this.#drop(flow);
    }
  }

  clear(): void {
    for (const flow of [...this.#flows.values(), ...this.#left]) this.#drop(flow);
  }

  #begin(key: string, client: RemoteInfo): Flow | undefined {
    const stays = this.#affinity.of(this.#service, client.address);
    const chooser = { random: this.#options.random, open: () => 0, ejected: new Set<string>(), stays };
    const [target] = tryOrder(this.#service, client, chooser);
    if (target === undefined) return undefined;
    this.#affinity.went(this.#service, client.address, target);
    if (this.#flows.size >= this.#options.maxFlows) this.#drop(this.#flows.values().next().value!);
    this.accepted++;
    const upstream = createSocket(isIPv6(target.address) ? 'udp6' : 'udp4');
    const flow: Flow = { client, key, target, upstream, usedAt: 0, waiting: [] };
    this.#flows.set(key, flow);
    // A refusal by the backend ends the flow: the client's next datagram tries another one.
    upstream.on('error', () => this.#drop(flow));
    upstream.on('message', (data) => this.#reply(flow, data));
    upstream.connect(target.port, target.address, () => this.#ready(flow));
    return flow;
  }

  #ready(flow: Flow): void {
    if (!this.#has(flow)) return;
    for (const data of flow.waiting ?? []) flow.upstream.send(data);
    flow.waiting = undefined;
  }

  #reply(flow: Flow, data: Buffer): void {
    const { key, client } = flow;
    if (this.#flows.get(key) === flow) {
      flow.usedAt = this.#options.now();
      this.#flows.delete(key);
      this.#flows.set(key, flow);
    } else if (!this.#left.has(flow)) return;
    this.#socket.send(data, client.port, client.address);
  }

  #leave(flow: Flow): void {
    this.#flows.delete(flow.key);
    flow.usedAt = this.#options.now();
    if (this.#left.size >= this.#options.maxFlows) this.#drop(this.#left.values().next().value!);
    this.#left.add(flow);
  }

  #drop(flow: Flow): void {
    if (!this.#has(flow)) return;
    if (!this.#left.delete(flow)) this.#flows.delete(flow.key);
    flow.upstream.close();
  }

  #has(flow: Flow): boolean {
    return this.#flows.get(flow.key) === flow || this.#left.has(flow);
  }
}

async function bound(socket: Socket, service: VipService): Promise<void> {
  const listening = once(socket, 'listening');
  socket.bind({ address: service.address, port: service.port, exclusive: true });
  await listening.catch((error: unknown) => {
    socket.close();
    throw error;
  });
}
