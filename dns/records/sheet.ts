import { isIP } from 'node:net';
import type { StaticRecord } from '../options.ts';
import type { Given } from '../record-source.ts';
import { CLASS, type Name } from '../wire/types.ts';

/** Of what a source gives. */
export type Wanted = { readonly before?: readonly Given[] | undefined; readonly only?: Name | undefined };

export type ServiceTarget = { readonly name: Name; readonly port: number; readonly weight?: number };

/**
 * A page of records being written for one source. What the wire cannot carry is left out, not published broken. A record that is
 * there already, at its place, is taken over as it is: that tells everyone that it has not changed.
 */
export class Sheet {
  readonly given: Given[] = [];
  readonly #ttl: number;
  readonly #before: readonly Given[];
  readonly #only: Name | undefined;

  /** `ttl` in seconds, of every record. `before`: what the source gave last. `only`: of which name; absent: of all. */
  constructor(ttl: number, { before = [], only }: Wanted = {}) {
    this.#ttl = ttl;
    this.#before = before;
    this.#only = only;
  }

  /** Whether any name that ends with this is wanted: if not, who makes such names need not. */
  wantsBelow(domain: Name): boolean {
    return this.#only === undefined || this.#only.endsWith(domain);
  }

  /** An A or AAAA record per address; what is no address is left out (dns.md §15.4). */
  addresses(rule: string, name: Name, addresses: readonly string[]): void {
    if (this.#isLeftOut(name)) return;
    for (const address of addresses) {
      const last = this.#lastOf(rule, name);
      if (last !== undefined && 'address' in last && last.address === address) this.given.push(last);
      else this.#address(rule, last?.name ?? name, address);
    }
  }

  /** Priority 0, as with Mesos-DNS (dns.md §4). */
  service(rule: string, name: Name, { port, weight = 1, name: target }: ServiceTarget): void {
    if (this.#isLeftOut(name)) return;
    const last = this.#lastOf(rule, name);
    if (last?.type === 'SRV' && last.port === port && last.weight === weight && last.target === target)
      this.given.push(last);
    else if (fitsWire(target))
      this.#add({
        rule,
        type: 'SRV',
        name,
        class: CLASS.IN,
        ttl: this.#ttl,
        priority: 0,
        weight,
        port,
        target,
      });
  }

  target(rule: string, type: 'PTR' | 'NS', name: Name, target: Name): void {
    if (this.#isLeftOut(name)) return;
    const last = this.#lastOf(rule, name);
    if (last?.type === type && last.target === target) this.given.push(last);
    else if (fitsWire(target)) this.#add({ rule, type, name, class: CLASS.IN, ttl: this.#ttl, target });
  }

  /** As it was configured: its names were read by `toName`. */
  configured(rule: string, { ttl = this.#ttl, ...record }: StaticRecord): void {
    const common = { rule, class: CLASS.IN, ttl };
    if (record.type === 'TXT') {
      const strings = [...chunks(Buffer.from(record.text))];
      this.given.push({ ...common, name: record.name, type: 'TXT', strings });
    } else this.given.push({ ...common, ...record });
  }

  #address(rule: string, name: Name, address: string): void {
    const family = isIP(address);
    const type = family === 4 ? 'A' : 'AAAA';
    if (family !== 0) this.#add({ rule, type, name, class: CLASS.IN, ttl: this.#ttl, address });
  }

  /** What the source gave last at this place, if it was of this name and for this reason. */
  #lastOf(rule: string, name: Name): Given | undefined {
    const last = this.#before[this.given.length];
    return last?.rule === rule && last.name === name && last.ttl === this.#ttl ? last : undefined;
  }

  #isLeftOut(name: Name): boolean {
    return this.#only !== undefined && this.#only !== name;
  }

  #add(record: Given): void {
    if (fitsWire(record.name)) this.given.push(record);
  }
}

/** A string of a TXT record holds 255 bytes (RFC 1035 §3.3). */
function* chunks(text: Buffer): Iterable<Uint8Array> {
  for (let at = 0; at === 0 || at < text.length; at += 255) yield text.subarray(at, at + 255);
}

/** Our own names have no escapes: every character is a byte. */
function fitsWire(name: Name): boolean {
  if (name.length > 253) return false;
  for (let from = 0; ; ) {
    const dot = name.indexOf('.', from);
    const length = (dot < 0 ? name.length : dot) - from;
    if (length === 0 || length > 63) return false;
    if (dot < 0) return true;
    from = dot + 1;
  }
}
