import type { RateLimitOptions } from './options.ts';
import { addressBytes, ipv4Number } from './wire/address.ts';

const slotBits = 12;
/** Of a slot: since when it counts, bytes that came, bytes that left; and one unused, so that a slot lies in one cache line. */
const [sinceAt, cameAt, leftAt, slotLength] = [0, 1, 2, 4];
const windowMs = 1_000;

/**
 * Keeps the resolver from being a weapon: what leaves for one network (a /24, for IPv6 a /56) in a second is at most
 * `amplification` times what came from it, or `quietBytes` if that is more. Beyond it a reply by UDP is cut to the question with TC
 * set, so that a client that is there asks again by TCP. Networks that share a slot share its allowance.
 */
export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #salt: number;
  readonly #slots = new Float64Array(slotLength << slotBits);

  /** `salt`: any number; who does not know it cannot choose whom to share a slot with. */
  constructor(options: RateLimitOptions, salt: number) {
    this.#options = options;
    this.#salt = salt;
  }

  /** Whether a reply of `reply` bytes may go to a query of `query` bytes. `network` as `networkOf` gives; `now` in ms. */
  allows(network: number, query: number, reply: number, now: number): boolean {
    const { amplification, quietBytes } = this.#options;
    const slots = this.#slots;
    const slot = (Math.imul(network ^ this.#salt, 0x9e3779b1) >>> (32 - slotBits)) * slotLength;
    if (now - slots[slot + sinceAt]! >= windowMs) {
      slots[slot + sinceAt] = now;
      slots[slot + cameAt] = 0;
      slots[slot + leftAt] = 0;
    }
    const came = slots[slot + cameAt]! + query;
    const left = slots[slot + leftAt]!;
    const allowed = left + reply <= quietBytes || left + reply <= came * amplification;
    slots[slot + cameAt] = came;
    slots[slot + leftAt] = left + (allowed ? reply : query);
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
