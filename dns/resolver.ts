import { randomBytes } from 'node:crypto';
import type { ListenAddress } from '../core/kit/listen.ts';
import type { DirectoryDelta } from '../core/model/directory.ts';
import { chain } from './chain.ts';
import { Counters } from './counters.ts';
import { dcosReply } from './dcos-api.ts';
import { type Explanation, explain } from './explain.ts';
import type { ForwarderParts } from './forward/forwarder.ts';
import type { GuardOptions } from './guard.ts';
import { type Handler, type Next, type Reply, status } from './handler.ts';
import { canonicalName, dcosAliases } from './handlers/aliases.ts';
import { HotAnswers } from './hot/answers.ts';
import type { HttpReply } from './http-reply.ts';
import type { Chance } from './lookup.ts';
import { mesosReply } from './mesos-dns-api.ts';
import type { ServerOptions, ZoneOptions } from './options.ts';
import { type PlainReply, plainReply, typeNumber } from './plain-reply.ts';
import type { NameAndType, PathAndPage } from './protocol.ts';
import { QueryLog, type QueryReport } from './query-log.ts';
import { responder } from './respond.ts';
import { type SecureBound, type SecureListen, SecureServer } from './secure/secure.ts';
import { DnsServer } from './server.ts';
import { inSlices } from './slices.ts';
import type { SocketLayer } from './sockets.ts';
import { toName } from './wire/name.ts';
import { CLASS, RCODE } from './wire/types.ts';
import { Zone } from './zone.ts';

export type ResolverParts = {
  readonly zone: ZoneOptions;
  readonly server: ServerOptions;
  readonly sockets: SocketLayer;
  readonly chance: Chance;
  /** Milliseconds, from any beginning; default: the machine's. For what upstreams said. */
  readonly now?: () => number;
  /** Absent: what is not ours is refused. */
  readonly forward?: (parts: ForwarderParts) => Handler;
};

/** Zone, chain and sockets of one process. What the worker runs; a test can run it as well. */
export class Resolver {
  readonly #counters = new Counters();
  readonly #log = new QueryLog();
  readonly #server: DnsServer;
  readonly #secure: SecureServer;
  readonly #hot: HotAnswers;
  readonly #answer: Next;
  readonly #zone: Zone;
  #bound: readonly ListenAddress[] = [];
  #appliedAt = performance.now();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: ResolverParts) {
    const forward = parts.forward?.({
      counters: this.#counters,
      chance: parts.chance,
      now: parts.now ?? (() => performance.now()),
      owns: (name) => this.#zone.apexOf(name) !== undefined,
      isOurs: (upstream) => this.#bound.some((at) => isSame(at, upstream)),
    });
    const { udpPayload } = parts.server;
    const recursion = forward !== undefined;
    const guard = guardOf(parts.server);
    this.#hot = new HotAnswers({
      udpPayload,
      recursion,
      guard,
      log: this.#log,
      counters: this.#counters,
      chance: parts.chance,
    });
    this.#zone = new Zone(parts.zone, (name) => this.#hot.changed(name));
    this.#answer = chain({
      zone: () => this.#zone,
      zoneOptions: parts.zone,
      counters: this.#counters,
      chance: parts.chance,
      ...(forward === undefined ? {} : { forward }),
    });
    const tcp = { idleMs: parts.server.tcpIdleMs, connections: parts.server.tcpConnections };
    const respond = responder({
      answer: this.#answer,
      counters: this.#counters,
      udpPayload,
      recursion,
      identity: parts.server.identity,
      guard,
      log: this.#log,
      hot: this.#hot,
    });
    this.#secure = new SecureServer(respond, tcp);
    this.#server = new DnsServer({
      respond,
      sockets: parts.sockets,
      hot: this.#hot,
      tcp,
    });
  }

  /** See `DnsServer.listen`. */
  async listen(wanted: readonly ListenAddress[]): Promise<readonly ListenAddress[]> {
    this.#bound = await this.#server.listen(wanted);
    return this.#bound;
  }

  /** See `SecureServer.listen`. */
  secure(wanted: SecureListen): Promise<SecureBound> {
    return this.#secure.listen(wanted);
  }

  /** Puts a delta in force at once; gives its revision. */
  apply(delta: DirectoryDelta): number {
    const startedAt = performance.now();
    try {
      this.#zone.apply(delta);
    } finally {
      this.#hot.settle();
    }
    this.#report(delta.revision, startedAt);
    return delta.revision;
  }

  /** As `apply`, one after the other, each a little at a time: questions are answered meanwhile. */
  applyInTurn(delta: DirectoryDelta): Promise<number> {
    const applied = this.#turn.then(() => this.#applyInSlices(delta));
    this.#turn = applied.catch(() => {});
    return applied;
  }

  async #applyInSlices(delta: DirectoryDelta): Promise<number> {
    const startedAt = performance.now();
    // what a follower has of a name that changed must be gone before anybody is told the next answer
    await inSlices(this.#zone.steps(delta), () => this.#hot.settle());
    this.#report(delta.revision, startedAt);
    return delta.revision;
  }

  #report(revision: number, startedAt: number): void {
    this.#counters.revision(revision);
    this.#counters.names(this.#zone.store.size);
    this.#appliedAt = performance.now();
    this.#counters.applySeconds((performance.now() - startedAt) / 1_000);
  }

  /** Asks as a client on this machine would, without the wire. */
  async resolve(asked: NameAndType): Promise<PlainReply> {
    return plainReply(await this.#ask(asked));
  }

  async explain(asked: NameAndType): Promise<Explanation> {
    const reply = plainReply(await this.#ask(asked));
    const read = toName(asked.name);
    const name = read.kind === 'name' ? read.name : asked.name;
    const canonical = canonicalName(name, dcosAliases(this.#zone.options));
    return explain(this.#zone, { asked: name, name: canonical, reply });
  }

  mesos(asked: PathAndPage): HttpReply {
    return mesosReply(this.#zone, asked);
  }

  dcos(asked: PathAndPage): HttpReply {
    return dcosReply(this.#zone, asked, performance.timeOrigin + this.#appliedAt);
  }

  /** What was asked lately, and by whom. */
  queries(): QueryReport {
    return this.#log.report();
  }

  metrics(): string {
    this.#hot.countReplies();
    this.#counters.hotAnswers(this.#hot.size);
    this.#counters.age((performance.now() - this.#appliedAt) / 1_000);
    return this.#counters.text();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#server.stop(), this.#secure.stop()]);
  }

  async #ask(asked: NameAndType): Promise<Reply> {
    const read = toName(asked.name);
    const type = typeNumber(asked.type);
    if (read.kind === 'invalid' || type === undefined) return status(RCODE.FORMERR);
    const client = { address: '127.0.0.1', port: 0, transport: 'tcp' } as const;
    const question = { name: read.name, type, class: CLASS.IN, recursion: true, dnssec: false, client };
    return this.#answer(question);
  }
}

function isSame(a: ListenAddress, b: ListenAddress): boolean {
  return a.address === b.address && a.port === b.port;
}

function guardOf({ cookieSecret, rateLimit }: ServerOptions): GuardOptions {
  const secret = cookieSecret === undefined ? randomBytes(16) : Buffer.from(cookieSecret, 'hex');
  return { cookieSecret: Uint8Array.from(secret), rateLimit, salt: randomBytes(4).readInt32LE() };
}
