import { isIP } from 'node:net';
import type { StaticRecord } from '../options.ts';
import type { Given, SourceKey } from '../record-set.ts';
import { CLASS, type Name, type ResourceRecord } from '../wire/types.ts';

export type ServiceTarget = { readonly name: Name; readonly port: number; readonly weight?: number };

/** A page of records being written for one source. What the wire cannot carry is left out, not published broken. */
export class Sheet {
  readonly given: Given[] = [];
  readonly #source: SourceKey;
  readonly #ttl: number;
  readonly #before: readonly Given[];

  /** `ttl` in seconds, of every record. `before`: what the source gave last; what it says again is not made again. */
  constructor(source: SourceKey, ttl: number, before: readonly Given[] = []) {
    this.#source = source;
    this.#ttl = ttl;
    this.#before = before;
  }

  /** An A or AAAA record per address; what is no address is left out (dns.md §15.4). */
  addresses(rule: string, name: Name, addresses: readonly string[]): void {
    for (const address of addresses) {
      const family = isIP(address);
      if (family === 0) continue;
      const type = family === 4 ? 'A' : 'AAAA';
      const last = this.#lastOf(rule, name);
      if (last?.record.type === type && last.record.address === address) this.given.push(last);
      else this.#add(rule, { type, name, class: CLASS.IN, ttl: this.#ttl, address });
    }
  }

  /** Priority 0, as with Mesos-DNS (dns.md §4). */
  service(rule: string, name: Name, to: ServiceTarget): void {
    const { port, weight = 1, name: target } = to;
    const last = this.#lastOf(rule, name);
    if (last !== undefined && isService(last.record, { port, weight, target })) this.given.push(last);
    else if (fitsWire(target))
      this.#add(rule, { ...this.#common(name), type: 'SRV', priority: 0, weight, port, target });
  }

  target(rule: string, type: 'PTR' | 'NS', name: Name, target: Name): void {
    if (fitsWire(target)) this.#add(rule, { ...this.#common(name), type, target });
  }

  /** As it was configured: its names were read by `toName`. */
  configured(rule: string, { ttl = this.#ttl, ...record }: StaticRecord): void {
    const common = { class: CLASS.IN, ttl };
    if (record.type === 'TXT') {
      const strings = [...chunks(Buffer.from(record.text))];
      this.given.push({
        record: { ...common, name: record.name, type: 'TXT', strings },
        rule,
        source: this.#source,
        set: undefined,
      });
    } else this.given.push({ record: { ...record, ...common }, rule, source: this.#source, set: undefined });
  }

  /** What the source gave last at this place, if it was of this name and for this reason. */
  #lastOf(rule: string, name: Name): Given | undefined {
    const last = this.#before[this.given.length];
    return last?.rule === rule && last.record.name === name && last.record.ttl === this.#ttl
      ? last
      : undefined;
  }

  #common(name: Name): { name: Name; class: number; ttl: number } {
    return { name, class: CLASS.IN, ttl: this.#ttl };
  }

  #add(rule: string, record: ResourceRecord): void {
    if (fitsWire(record.name)) this.given.push({ record, rule, source: this.#source, set: undefined });
  }
}

type Service = { readonly port: number; readonly weight: number; readonly target: Name };

function isService(record: ResourceRecord, { port, weight, target }: Service): boolean {
  if (record.type !== 'SRV') return false;
  return record.port === port && record.weight === weight && record.target === target;
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
