import { OPTION_COOKIE } from '../wire/edns.ts';
import { SipHash } from './siphash.ts';

const clientLength = 8;
/** Ours: a version, three reserved bytes, the time, the hash (RFC 9018 §4). */
const serverLength = 16;
const version = 1;
const oldestSeconds = 3_600;
const renewSeconds = 1_800;
const futureSeconds = 300;
const optionHeader = 4;

/** `none`: no cookie · `bad`: of a length that cannot be (FORMERR, RFC 7873 §5.2.2) · `new`: the client has none of ours, or an old or a foreign one · `proven`: it holds one of ours, so its address is its own. */
export type CookieRead = 'none' | 'bad' | 'new' | 'proven';

/**
 * DNS cookies (RFC 7873) as the servers of RFC 9018 make them: nothing is remembered, whoever has the secret can check. One
 * query at a time: `option` holds until the next `read`.
 */
export class Cookies {
  /** The COOKIE option of the reply, code and length included. */
  readonly option = new Uint8Array(optionHeader + clientLength + serverLength);
  readonly #hash: SipHash;
  /** Client cookie, our version and reserved bytes, time, address: what is hashed. */
  readonly #hashed = new Uint8Array(clientLength + 8 + 16);
  readonly #expected = new Uint8Array(8);

  /** `secret`: sixteen bytes. */
  constructor(secret: Uint8Array) {
    this.#hash = new SipHash(secret);
    this.option.set([0, OPTION_COOKIE, 0, clientLength + serverLength]);
  }

  /** Looks at a cookie that came from `address` (4 or 16 bytes) and makes the reply's. `now` in seconds since the epoch. */
  read(cookie: Uint8Array, address: Uint8Array, now: number): CookieRead {
    const { length } = cookie;
    if (length !== clientLength && (length < 2 * clientLength || length > 40)) return 'bad';
    this.#hashed.set(cookie.subarray(0, clientLength));
    this.#hashed.set(address, clientLength + 8);
    const age = this.#ageOf(cookie, address, now);
    this.option.set(cookie.subarray(0, clientLength), optionHeader);
    if (age !== undefined && age < renewSeconds) this.option.set(cookie, optionHeader);
    else this.#make(address, now);
    return age === undefined ? 'new' : 'proven';
  }

  /** In seconds; undefined when it is none of ours, or too old. */
  #ageOf(cookie: Uint8Array, address: Uint8Array, now: number): number | undefined {
    if (cookie.length !== clientLength + serverLength || cookie[clientLength] !== version) return undefined;
    const made = ((cookie[12]! << 24) | (cookie[13]! << 16) | (cookie[14]! << 8) | cookie[15]!) >>> 0;
    // RFC 9018 §4.3: times go round
    const age = (now - made) | 0;
    if (age > oldestSeconds || age < -futureSeconds) return undefined;
    this.#hashed.set(cookie.subarray(clientLength, clientLength + 8), clientLength);
    this.#hashInto(this.#expected, 0, address.length);
    for (let i = 0; i < 8; i++) if (this.#expected[i] !== cookie[clientLength + 8 + i]) return undefined;
    return Math.max(0, age);
  }

  #make(address: Uint8Array, now: number): void {
    const at = clientLength;
    this.#hashed.set([version, 0, 0, 0, now >>> 24, now >>> 16, now >>> 8, now], at);
    this.option.set(this.#hashed.subarray(at, at + 8), optionHeader + at);
    this.#hashInto(this.option, optionHeader + at + 8, address.length);
  }

  #hashInto(into: Uint8Array, at: number, addressLength: number): void {
    this.#hash.hash(this.#hashed, clientLength + 8 + addressLength);
    this.#hash.writeTo(into, at);
  }
}
