import { C, type Libc } from './libc.ts';
import { batchSize, longestQuery } from './shared.ts';
import { socketAddressLength } from './socket-address.ts';

// struct mmsghdr of 64-bit Linux: a msghdr of 56 bytes, then the length; struct iovec: address and length
const headerLength = 64;
const headerWords = headerLength / 4;
const word = { name: 0, nameLength: 2, parts: 4, partCount: 6, flags: 12, length: 14 } as const;
const partLength = 16;

/**
 * The memory for one batch of datagrams in and one out. The kernel is given raw pointers into it, so it lives in buffers that
 * never move and that this object holds as long as the loop runs.
 */
export class Batch {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #addresses = new ArrayBuffer(batchSize * socketAddressLength);
  readonly #queries = new ArrayBuffer(batchSize * longestQuery);
  readonly #replies: ArrayBuffer;
  readonly #in: Headers;
  readonly #out: Headers;
  readonly #replyLength: number;
  /** Query by query: a view of all there is room for. */
  readonly queries: readonly Uint8Array[];
  readonly addresses: readonly Uint8Array[];
  readonly replies: Uint8Array;
  #ready = 0;

  constructor(libc: Libc, { fd, longestReply }: { fd: number; longestReply: number }) {
    this.#libc = libc;
    this.#fd = fd;
    this.#replyLength = longestReply;
    this.#replies = new ArrayBuffer(batchSize * longestReply);
    this.replies = Buffer.from(this.#replies);
    this.queries = slices(this.#queries, longestQuery);
    this.addresses = slices(this.#addresses, socketAddressLength);
    const addresses = libc.addressOf(this.#addresses);
    this.#in = new Headers(libc, { addresses, data: libc.addressOf(this.#queries), room: longestQuery });
    this.#out = new Headers(libc, { addresses, data: libc.addressOf(this.#replies), room: longestReply });
  }

  /** Waits for at least one datagram and gives how many came; 0 when the wait ended without one. */
  receive(): number {
    return Math.max(0, this.#libc.recvmmsg(this.#fd, this.#in.address, batchSize, C.MSG_WAITFORONE, null));
  }

  /** Of the `index`-th datagram; 0 when it was longer than there was room for. */
  lengthOf(index: number): number {
    const { words } = this.#in;
    const at = index * headerWords;
    return (words[at + word.flags]! & C.MSG_TRUNC) === 0 ? words[at + word.length]! : 0;
  }

  /** Where in `replies` the next reply is to be written. */
  get replyAt(): number {
    return this.#ready * this.#replyLength;
  }

  /** What was written at `replyAt` is the answer to the `index`-th datagram. */
  reply(index: number, length: number): void {
    this.#out.fill(this.#ready, { from: this.#in, index, length });
    this.#ready += 1;
  }

  /** Sends what is ready. What the kernel does not take is lost, as datagrams may be. */
  send(): void {
    const ready = this.#ready;
    this.#ready = 0;
    for (let sent = 0; sent < ready; ) {
      const taken = this.#libc.sendmmsg(this.#fd, this.#out.addressAt(sent), ready - sent, C.MSG_DONTWAIT);
      // one that cannot be sent (its client's port is 0, say) must not hold up those behind it
      sent += Math.max(1, taken);
    }
  }
}

type HeadersOptions = { readonly addresses: bigint; readonly data: bigint; readonly room: number };

/** An array of mmsghdr, each with one part. */
class Headers {
  readonly words: Uint32Array<ArrayBuffer>;
  readonly #parts: Uint32Array<ArrayBuffer>;
  readonly address: bigint;

  constructor(libc: Libc, { addresses, data, room }: HeadersOptions) {
    this.words = new Uint32Array(new ArrayBuffer(batchSize * headerLength));
    this.#parts = new Uint32Array(new ArrayBuffer(batchSize * partLength));
    this.address = libc.addressOf(this.words.buffer);
    const headers = new BigUint64Array(this.words.buffer);
    const parts = new BigUint64Array(this.#parts.buffer);
    const partsAddress = libc.addressOf(this.#parts.buffer);
    for (let i = 0; i < batchSize; i++) {
      const [header, index] = [(i * headerLength) / 8, BigInt(i)];
      headers[header + word.name / 2] = addresses + index * BigInt(socketAddressLength);
      headers[header + word.nameLength / 2] = BigInt(socketAddressLength);
      headers[header + word.parts / 2] = partsAddress + index * BigInt(partLength);
      headers[header + word.partCount / 2] = 1n;
      parts[2 * i] = data + index * BigInt(room);
      parts[2 * i + 1] = BigInt(room);
    }
  }

  addressAt(index: number): bigint {
    return index === 0 ? this.address : this.address + BigInt(index * headerLength);
  }

  /** Makes the `at`-th one a datagram of `length` bytes to where the `index`-th of `from` came from. */
  fill(at: number, { from, index, length }: { from: Headers; index: number; length: number }): void {
    const [to, of] = [at * headerWords, index * headerWords];
    this.words[to + word.name] = from.words[of + word.name]!;
    this.words[to + word.name + 1] = from.words[of + word.name + 1]!;
    this.words[to + word.nameLength] = from.words[of + word.nameLength]!;
    this.#parts[(at * partLength) / 4 + 2] = length;
  }
}

function slices(memory: ArrayBuffer, length: number): readonly Uint8Array[] {
  return Array.from(
    { length: memory.byteLength / length },
    (_, i) => new Uint8Array(memory, i * length, length),
  );
}
