import type { Counters } from '../counters.ts';
import { Guard, type GuardOptions } from '../guard.ts';
import type { Client, Reply } from '../handler.ts';
import type { Chance } from '../lookup.ts';
import { type QueryLog, Sampler } from '../query-log.ts';
import { networkOf } from '../rate-limit.ts';
import { addressBytes } from '../wire/address.ts';
import { prebuild } from '../wire/prebuilt.ts';
import { type Query, readQuestion } from '../wire/question.ts';
import { FLAG, type Message, type Name, type ResourceRecord, TYPE } from '../wire/types.ts';
import { HotQuestion } from './question.ts';
import { type From, type HotAnswer, HotTable } from './table.ts';

export type HotOptions = {
  /** As in ServerOptions. */
  readonly udpPayload: number;
  /** RA. */
  readonly recursion: boolean;
  /** Answers kept. */
  readonly most?: number;
  readonly counters: Counters;
  readonly chance: Chance;
  readonly guard: GuardOptions;
  readonly log: QueryLog;
};

/** Since the last time. */
export type FollowerCounts = {
  /** Replies by response code. */
  readonly replies: readonly number[];
  /** Questions that could not be passed on to the chain. */
  readonly dropped: number;
  /** Replies cut to the question. */
  readonly limited: number;
};

/** Where a reply is to begin. */
export type Place = { into: Uint8Array; at: number };

export type Sample = {
  readonly packet: Uint8Array;
  readonly client: Client;
  readonly rcode: number;
  readonly standsFor: number;
};

/** Another holder of the hot answers, which gives them itself. */
export type HotFollower = {
  put(answer: HotAnswer): void;
  /** These are gone. Returns when none of them can be sent any more. */
  drop(hashes: readonly number[]): void;
  /** What it has counted since the last call. */
  takeCounts(): FollowerCounts;
};

const defaultMost = 20_000;
/** Sets above this do not fit into a UDP reply anyway. */
const mostVariants = 16;
/** What clients ask for. Of all others there are too many: one client could fill the table with "no such type". */
const commonTypes = new Set<number>([TYPE.A, TYPE.AAAA, TYPE.SRV, TYPE.PTR, TYPE.HTTPS]);

/**
 * The answers that were given lately and stay true until a name in our zones changes. What is learnt is dropped the moment
 * one of the names it was read from changes, so it is never older than the zone.
 */
export class HotAnswers {
  readonly udpPayload: number;
  readonly most: number;
  readonly guardOptions: GuardOptions;
  readonly #guard: Guard;
  readonly #sampler = new Sampler();
  readonly #table: HotTable;
  readonly #options: HotOptions;
  readonly #question = new HotQuestion();
  readonly #sender = new Sender();
  readonly #byName = new Map<Name, Set<number>>();
  readonly #reads = new Map<number, readonly Name[]>();
  readonly #followers = new Set<HotFollower>();
  #dropped: number[] = [];

  constructor(options: HotOptions) {
    this.#options = options;
    const { udpPayload, chance, most = defaultMost } = options;
    this.udpPayload = udpPayload;
    this.most = most;
    this.guardOptions = options.guard;
    this.#guard = new Guard(options.guard);
    this.#table = new HotTable({ udpPayload, chance, most, guard: this.#guard });
  }

  /**
   * Writes the reply to `packet` into `place`, where `udpPayload` bytes are free, and gives its length; 0: the chain must be
   * asked.
   */
  answer(packet: Uint8Array, from: Omit<Client, 'transport'>, place: Place): number {
    const question = this.#question;
    if (!question.read(packet, packet.length)) return 0;
    this.#sender.set(from.address, packet.length);
    const now = Date.now();
    this.#guard.now = now;
    const length = this.#table.reply(question, { into: place.into, at: place.at, from: this.#sender });
    if (length === 0) return 0;
    const { rcode } = this.#table;
    this.#options.counters.reply('udp', rcode);
    const standsFor = this.#sampler.due(now);
    if (standsFor === 0) return length;
    const client = { address: from.address, port: from.port, transport: 'udp' } as const;
    this.noteSample({ packet, client, rcode, standsFor });
    return length;
  }

  /** A hot answer that is to be noted, given here or by a follower. */
  noteSample({ packet, client, rcode, standsFor }: Sample): void {
    const read = readQuestion(packet);
    if (read.kind !== 'query') return;
    this.#options.log.note({ client, name: read.name, type: read.type, rcode }, standsFor, Date.now());
  }

  /** Keeps a reply of the chain if it is one that lasts. */
  learn(query: Query, reply: Reply): void {
    if (reply.reads === undefined || reply.answers.length > mostVariants || !commonTypes.has(query.type))
      return;
    const question = this.#question;
    if (!question.read(query.packet, query.packet.length)) return;
    const { hash } = question;
    const [first, ...others] = this.#ordersOf(query, reply).map(prebuild);
    const { rcode } = reply;
    const answer = { hash, rcode, first: first!, ...(others.length > 0 && { others }) };
    this.#forget(hash);
    this.#remember(hash, reply.reads);
    // followers keep as many, in the same order: what gives way here gives way there
    const gone = this.#table.put(answer);
    if (gone !== undefined) this.#forget(gone);
    for (const follower of this.#followers) follower.put(answer);
  }

  /** A name in our zones has changed. */
  changed(name: Name): void {
    const hashes = this.#byName.size === 0 ? undefined : this.#byName.get(name);
    if (hashes !== undefined) for (const hash of [...hashes]) this.#drop(hash);
  }

  /** Tells the followers what was dropped since the last time. */
  settle(): void {
    if (this.#dropped.length === 0) return;
    const dropped = this.#dropped;
    this.#dropped = [];
    for (const follower of this.#followers) follower.drop(dropped);
  }

  get size(): number {
    return this.#reads.size;
  }

  /** Begins with all there are. */
  follow(follower: HotFollower): void {
    this.#followers.add(follower);
    for (const answer of this.#table.all()) follower.put(answer);
  }

  unfollow(follower: HotFollower): void {
    this.#count(follower);
    this.#followers.delete(follower);
  }

  /** Counts what the followers have given. */
  countReplies(): void {
    for (const follower of this.#followers) this.#count(follower);
    this.#options.counters.limited({}, this.#table.takeLimited());
  }

  #count(follower: HotFollower): void {
    const { counters } = this.#options;
    const { replies, dropped, limited } = follower.takeCounts();
    replies.forEach((count, rcode) => {
      counters.reply('udp', rcode, count);
    });
    if (dropped > 0) counters.overloaded({}, dropped);
    if (limited > 0) counters.limited({}, limited);
  }

  #ordersOf(query: Query, reply: Reply): readonly Message[] {
    const { authorities, additionals, rcode } = reply;
    // without its own letter case
    const question = { name: query.name, type: query.type, class: query.class };
    const flags = (reply.authoritative ? FLAG.AA : 0) | (this.#options.recursion ? FLAG.RA : 0) | rcode;
    const rest = { id: 0, flags, question, authorities, additionals, edns: undefined };
    return ordersOf(reply.answers).map((answers) => ({ ...rest, answers }));
  }

  #remember(hash: number, reads: readonly Name[]): void {
    this.#reads.set(hash, reads);
    for (const name of reads) this.#byName.set(name, (this.#byName.get(name) ?? new Set()).add(hash));
  }

  #drop(hash: number): void {
    this.#forget(hash);
    this.#table.delete(hash);
    this.#dropped.push(hash);
  }

  #forget(hash: number): void {
    for (const name of this.#reads.get(hash) ?? []) {
      const hashes = this.#byName.get(name);
      hashes?.delete(hash);
      if (hashes?.size === 0) this.#byName.delete(name);
    }
    this.#reads.delete(hash);
  }
}

/** Where the question that is being answered came from. */
class Sender implements From {
  #address = '';
  network = 0;
  length = 0;

  set(address: string, length: number): void {
    // one client often asks again and again
    if (address !== this.#address) {
      this.#address = address;
      this.network = networkOf(address);
    }
    this.length = length;
  }

  address(): Uint8Array {
    return addressBytes(this.#address);
  }
}

/**
 * Addresses are turned when they are sent: there and back gives each the first place, and two that may follow it. A service
 * record cannot stand in another's place, because later records point into it: each gets a message that begins with it.
 */
function ordersOf(answers: readonly ResourceRecord[]): readonly (readonly ResourceRecord[])[] {
  if (answers.length < 2) return [answers];
  const { type } = answers[0]!;
  // an alias stands before what it leads to
  if (type === 'CNAME') return [answers];
  if (type === 'A' || type === 'AAAA')
    return answers.length === 2 ? [answers] : [answers, answers.toReversed()];
  return answers.map((_, first) => [...answers.slice(first), ...answers.slice(0, first)]);
}
