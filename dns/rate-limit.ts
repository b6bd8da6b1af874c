import type { RateLimitOptions } from './options.ts';
import { addressBytes, ipv4Number } from './wire/address.ts';

const slots = 4_096;
const windowMs = 1_000;

/**
 * Keeps the resolver from being a weapon: what leaves for one network (a /24, for IPv6 a /56) in a second is at most
 * `amplification` times what came from it, or `quietBytes` if that is more. Beyond it a reply by UDP is cut to the question with TC
 * set, so that a client that is there asks again by TCP. Networks that share a slot share its allowance.
 */
export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #salt: number;
  readonly #since = new Float64Array(slots);
  readonly #came = new Float64Array(slots);
  readonly #left = new Float64Array(slots);

  /** `salt`: any number; who does not know it cannot choose whom to share a slot with. */
  constructor(options: RateLimitOptions, salt: number) {
    this.#options = options;
    this.#salt = salt;
  }

  /** Whether a reply of `reply` bytes may go to a query of `query` bytes. `network` as `networkOf` gives; `now` in ms. */
  allows(network: number, query: number, reply: number, now: number): boolean {
    const { amplification, quietBytes } = this.#options;
    const slot = (Math.imul(network ^ this.#salt, 0x9e3779b1) >>> 0) % slots;
    if (now - this.#since[slot]! >= windowMs) {
      this.#since[slot] = now;
      this.#came[slot] = 0;
      this.#left[slot] = 0;
    }
    const came = this.#came[slot]! + query;
    const left = this.#left[slot]! + reply;
    this.#came[slot] = came;
    const allowed = left <= quietBytes || left <= came * amplification;
    this.#left[slot] = allowed ? left : this.#left[slot]! + query;
    return allowed;
  }
}

/** The network of an address in text, as a number. */
export function networkOf(address: string): number {
  return address.includes(':') ? networkOfBytes(addressBytes(address)) : ipv4Number(address) >>> 8;
}

/** The same of the bytes of an address: 4 or 16. */
export function networkOfBytes(bytes: ArrayLike<number>): number {
  const shared = bytes.length === 4 ? 3 : 7;
  let network = 0;
  for (let i = 0; i < shared; i++)
    network = bytes.length === 4 ? (network << 8) | bytes[i]! : Math.imul(network, 31) + bytes[i]!;
  return network | 0;
}
