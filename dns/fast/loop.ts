import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Guard } from '../guard.ts';
import { HotQuestion } from '../hot/question.ts';
import { type From, type HotAnswer, HotTable } from '../hot/table.ts';
import { Sampler } from '../query-log.ts';
import type { PrebuiltAnswer } from '../wire/prebuilt.ts';
import { Batch } from './batch.ts';
import { openLibc } from './libc.ts';
import {
  batchSize,
  codes,
  type Handed,
  type LoopStart,
  longestQuery,
  type Mail,
  type Sampled,
  WORD,
} from './shared.ts';
import { addressIn, networkIn, socketAddressLength } from './socket-address.ts';

/** More are not handed over while so many wait: a flood of what is not hot must not grow without end. */
const mostWaiting = 4_096;
const noBytes: Uint8Array = new Uint8Array(0);

/** Where the question that is being answered came from. */
class Sender implements From {
  #bytes = noBytes;
  network = 0;
  length = 0;

  set(socketAddress: Uint8Array, length: number): void {
    this.#bytes = socketAddress;
    this.network = networkIn(socketAddress);
    this.length = length;
  }

  address(): Uint8Array {
    return addressIn(this.#bytes);
  }
}

/**
 * A thread that blocks in the kernel until datagrams come, answers those it has a hot answer for, and hands the others to the
 * main thread, which sends their replies itself. Changes are taken before each batch is answered.
 */
class Loop {
  readonly #start: LoopStart;
  readonly #port: MessagePort;
  readonly #batch: Batch;
  readonly #guard: Guard;
  readonly #table: HotTable;
  /** One for all replies: a million of them a second would be garbage. */
  readonly #place = { into: noBytes, at: 0, from: new Sender() };
  readonly #question = new HotQuestion();
  /** Of this batch, by response code. */
  readonly #replies = new Int32Array(codes);
  readonly #handed = new Uint8Array(batchSize * (socketAddressLength + 2 + longestQuery));
  #handedLength = 0;
  #handedCount = 0;
  #mailTaken = 0;
  #now = 0;
  readonly #sampler = new Sampler();

  constructor(start: LoopStart, port: MessagePort) {
    const { fd, most, udpPayload, guard } = start;
    const libc = openLibc();
    if (libc === undefined) throw new TypeError('a loop was started where there is no C library to call');
    this.#start = start;
    this.#port = port;
    this.#batch = new Batch(libc, { fd, longestReply: udpPayload });
    this.#guard = new Guard(guard);
    this.#table = new HotTable({ udpPayload, most, chance: Math.random, guard: this.#guard });
  }

  run(): void {
    const { shared } = this.#start;
    Atomics.wait(shared, WORD.begin, 0);
    while (Atomics.load(shared, WORD.stop) === 0) {
      const count = this.#batch.receive();
      if (count === 0) continue;
      // from here on the main thread waits for us when it must be sure that a change is in force
      Atomics.store(shared, WORD.busy, 1);
      this.#now = Date.now();
      this.#guard.now = this.#now;
      if (Atomics.load(shared, WORD.mail) !== this.#mailTaken) this.#takeMail();
      for (let index = 0; index < count; index++) this.#answer(index);
      this.#count();
      this.#batch.send();
      Atomics.store(shared, WORD.busy, 0);
      Atomics.notify(shared, WORD.busy);
      if (this.#handedCount > 0) this.#handOver();
    }
  }

  #takeMail(): void {
    for (;;) {
      const received: { message: Mail } | undefined = receiveMessageOnPort(this.#port);
      if (received === undefined) return;
      this.#mailTaken = (this.#mailTaken + 1) | 0;
      const mail = received.message;
      if (mail.kind === 'put') this.#table.put(adopted(mail.answer));
      else for (const hash of mail.hashes) this.#table.delete(hash);
    }
  }

  #answer(index: number): void {
    const batch = this.#batch;
    const question = this.#question;
    const length = batch.lengthOf(index);
    if (length === 0) return;
    const place = this.#place;
    place.into = batch.replies;
    place.at = batch.replyAt;
    place.from.set(batch.addresses[index]!, length);
    const reply = question.read(batch.queries[index]!, length) ? this.#table.reply(question, place) : 0;
    if (reply === 0) {
      this.#handIn(index, length);
      return;
    }
    batch.reply(index, reply);
    const { rcode } = this.#table;
    this.#replies[rcode] = this.#replies[rcode]! + 1;
    const standsFor = this.#sampler.due(this.#now);
    if (standsFor > 0) this.#sample(index, length, { rcode, standsFor });
  }

  /** Told once for a batch: what two threads count in costs more than what one does. */
  #count(): void {
    const { shared } = this.#start;
    const limited = this.#table.takeLimited();
    if (limited > 0) Atomics.add(shared, WORD.limited, limited);
    this.#replies.forEach((count, rcode) => {
      if (count > 0) Atomics.add(shared, WORD.replies + rcode, count);
    });
    this.#replies.fill(0);
  }

  #sample(index: number, length: number, said: { rcode: number; standsFor: number }): void {
    const packets = new Uint8Array(socketAddressLength + length);
    packets.set(this.#batch.addresses[index]!);
    packets.set(this.#batch.queries[index]!.subarray(0, length), socketAddressLength);
    this.#port.postMessage({ packets, ...said } satisfies Sampled);
  }

  #handIn(index: number, length: number): void {
    const handed = this.#handed;
    let at = this.#handedLength;
    handed.set(this.#batch.addresses[index]!, at);
    at += socketAddressLength;
    handed[at] = length >> 8;
    handed[at + 1] = length;
    handed.set(this.#batch.queries[index]!.subarray(0, length), at + 2);
    this.#handedLength = at + 2 + length;
    this.#handedCount += 1;
  }

  #handOver(): void {
    const { shared } = this.#start;
    const count = this.#handedCount;
    const packets = this.#handed.slice(0, this.#handedLength);
    this.#handedCount = 0;
    this.#handedLength = 0;
    if (Atomics.load(shared, WORD.waiting) + count > mostWaiting) {
      Atomics.add(shared, WORD.refused, count);
      return;
    }
    Atomics.add(shared, WORD.waiting, count);
    this.#port.postMessage({ count, packets } satisfies Handed, [packets.buffer]);
  }
}

/** A message brings a Buffer as bare bytes; `copy` is a Buffer's. */
function adopted({ first, others, ...answer }: HotAnswer): HotAnswer {
  return { ...answer, first: withBuffer(first), ...(others && { others: others.map(withBuffer) }) };
}

function withBuffer(answer: PrebuiltAnswer): PrebuiltAnswer {
  const { buffer, byteOffset, byteLength } = answer.bytes;
  return { ...answer, bytes: Buffer.from(buffer, byteOffset, byteLength) };
}

if (parentPort !== null) new Loop(workerData, parentPort).run();
