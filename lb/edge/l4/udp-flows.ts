import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { errorCode } from '../../../core/kit/errors.ts';
import { listenError } from '../../../core/kit/listen.ts';
import type { EdgeContext } from '../context.ts';
import type { ListenPlace } from '../listeners/listen-socket.ts';
import { plainAddress } from '../request/client-facts.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { pick } from '../upstream/upstreams.ts';
import type { Deadlined } from '../wire/deadlines.ts';
import type { ListenerTally } from './listener-tally.ts';
import { StreamRecord } from './stream-record.ts';
import { type StreamRoute, streamRoute } from './stream-route.ts';

export type UdpOptions = {
  readonly place: ListenPlace;
  readonly scope: () => string;
  /** Its id. */
  readonly listener: string;
  readonly idleMs: () => number;
  readonly mostFlows: () => number;
  readonly tally: ListenerTally;
};

/** Kept for one flow while its own socket is made. */
const mostWaiting = 16;

/**
 * The datagrams of a UDP listener: what one client address and port sends goes to one endpoint until
 * it is quiet for a while, or the endpoint leaves.
 */
export class UdpFlows {
  readonly #context: EdgeContext;
  readonly #options: UdpOptions;
  readonly #socket: Socket;
  readonly #flows = new Map<string, Flow>();

  constructor(context: EdgeContext, options: UdpOptions) {
    const isSix = isIPv6(options.place.address);
    this.#context = context;
    this.#options = options;
    // Each worker has a socket of its own; the kernel keeps a flow with one of them.
    this.#socket = createSocket({
      type: isSix ? 'udp6' : 'udp4',
      reusePort: true,
      recvBufferSize: 1_048_576,
    });
    this.#socket.on('message', (data, from) => this.#take(data, from));
  }

  /** Throws PortInUse, CannotListen. */
  async open(): Promise<void> {
    const { place } = this.#options;
    this.#socket.bind(place.port, place.address);
    try {
      await once(this.#socket, 'listening');
    } catch (error) {
      throw listenError(place, 'udp', error);
    }
    this.#socket.on('error', () => {});
  }

  get port(): number {
    return this.#socket.address().port;
  }

  get flows(): number {
    return this.#flows.size;
  }

  close(): void {
    this.#socket.close();
    for (const flow of this.#flows.values()) flow.end();
  }

  /** These routes are gone: so are their flows. */
  drain(routes: ReadonlySet<string>): void {
    for (const flow of this.#flows.values()) if (routes.has(flow.routeId)) flow.end();
  }

  #take(data: Buffer, from: RemoteInfo): void {
    const key = `${from.address} ${from.port}`;
    const known = this.#flows.get(key);
    if (known?.upstream.retired) known.end();
    const flow = this.#flows.get(key) ?? this.#begin(key, from);
    flow?.send(data);
  }

  #begin(key: string, from: RemoteInfo): Flow | undefined {
    const { tally, scope, idleMs, mostFlows } = this.#options;
    const address = plainAddress(from.address);
    const target =
      this.#flows.size < mostFlows()
        ? streamRoute(this.#context, { scope: scope(), serverName: '', address })
        : undefined;
    const upstream = target?.kind === 'forward' ? this.#choose(target.poolKey, address) : undefined;
    if (target?.kind !== 'forward' || upstream === undefined) {
      if (target?.kind === 'forward') target.lease?.end();
      tally.refused++;
      return undefined;
    }
    const flow = new Flow(this.#context, {
      ...{
        target,
        upstream,
        tally,
        idleMs: idleMs(),
        record: this.#recordOf(address, target.route.id, upstream),
      },
      reply: (data) => this.#socket.send(data, from.port, from.address, () => {}),
      onEnded: () => {
        this.#flows.delete(key);
        tally.open--;
      },
    });
    this.#flows.set(key, flow);
    tally.connections++;
    tally.open++;
    return flow;
  }

  #recordOf(client: string, route: string, { endpoint }: Upstream): StreamRecord | undefined {
    const { accessLog: log, clock } = this.#context;
    if (log === undefined) return undefined;
    const { listener } = this.#options;
    const record = new StreamRecord({
      log,
      listener,
      scheme: 'udp',
      client,
      serverName: '',
      now: clock.now(),
    });
    return Object.assign(record, { route, endpoint });
  }

  #choose(poolKey: string, address: string): Upstream | undefined {
    const { upstreams, clock, settings } = this.#context;
    const pool = upstreams.pool(poolKey);
    const options = {
      tried: undefined,
      now: clock.now(),
      sticky: undefined,
      slowStartMs: settings.slowStartMs,
    };
    return pool && pick(pool, { hashKey: address }, options);
  }
}

const unreachable: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH']);

type FlowOptions = {
  readonly target: Extract<StreamRoute, { kind: 'forward' }>;
  readonly upstream: Upstream;
  readonly tally: ListenerTally;
  readonly idleMs: number;
  readonly record: StreamRecord | undefined;
  readonly reply: (data: Buffer) => void;
  readonly onEnded: () => void;
};

/** One client's datagrams to one endpoint, and back. */
class Flow implements Deadlined {
  deadlineAt: number;
  readonly #context: EdgeContext;
  readonly #options: FlowOptions;
  readonly #socket: Socket;
  #waiting: Buffer[] | undefined = [];
  #over = false;

  constructor(context: EdgeContext, options: FlowOptions) {
    const { upstream } = options;
    const { address, port } = upstream.endpoint;
    this.#context = context;
    this.#options = options;
    this.deadlineAt = context.clock.now() + options.idleMs;
    context.deadlines.add(this);
    context.upstreams.enter(upstream);
    upstream.streams.connections++;
    this.#socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    this.#socket.on('message', (data) => this.#back(data));
    this.#socket.on('error', () => this.#failed());
    this.#socket.connect(port, address, () => this.#connected());
  }

  get upstream(): Upstream {
    return this.#options.upstream;
  }

  get routeId(): string {
    return this.#options.target.route.id;
  }

  send(data: Buffer): void {
    const { tally, upstream, record } = this.#options;
    this.#touch();
    record?.count(data.length, true);
    tally.bytesIn += data.length;
    upstream.streams.bytesIn += data.length;
    if (this.#waiting === undefined) this.#pass(data);
    else if (this.#waiting.length < mostWaiting) this.#waiting.push(data);
  }

  overdue(): void {
    this.end();
  }

  end(): void {
    if (this.#over) return;
    const { upstream, target, onEnded, record } = this.#options;
    this.#over = true;
    this.#context.deadlines.delete(this);
    this.#context.upstreams.leave(upstream);
    target.lease?.end();
    this.#socket.close();
    record?.end();
    onEnded();
  }

  #connected(): void {
    if (this.#over) return;
    for (const data of this.#waiting ?? []) this.#pass(data);
    this.#waiting = undefined;
  }

  /** The kernel tells of a refusal once: to the next send if that comes before the next read. A datagram too long is merely lost. */
  #pass(data: Buffer): void {
    this.#socket.send(data, (error) => {
      if (error !== null && unreachable.has(errorCode(error) ?? '')) this.#failed();
    });
  }

  #back(data: Buffer): void {
    const { tally, upstream, reply, record } = this.#options;
    this.#touch();
    record?.count(data.length, false);
    upstream.reached();
    tally.bytesOut += data.length;
    upstream.streams.bytesOut += data.length;
    reply(data);
  }

  /** Nobody listens there (ICMP): the next datagram begins a flow elsewhere. */
  #failed(): void {
    if (this.#over) return;
    this.#options.upstream.refused();
    this.#context.counters.connectFailures++;
    this.end();
  }

  #touch(): void {
    this.deadlineAt = this.#context.clock.now() + this.#options.idleMs;
  }
}
