import { isIP } from 'node:net';
import type { Given, SourceKey } from '../record-set.ts';
import { CLASS, type Name, type ResourceRecord } from '../wire/types.ts';

/** A page of records being written for one source. What the wire cannot carry is left out, not published broken. */
export class Sheet {
  readonly given: Given[] = [];
  readonly #source: SourceKey;
  readonly #ttl: number;

  /** `ttl` in seconds, of every record. */
  constructor(source: SourceKey, ttl: number) {
    this.#source = source;
    this.#ttl = ttl;
  }

  /** An A or AAAA record per address; what is no address is left out (dns.md §15.4). */
  addresses(rule: string, name: Name, addresses: readonly string[]): void {
    for (const address of addresses) {
      const family = isIP(address);
      if (family === 0) continue;
      const type = family === 4 ? 'A' : 'AAAA';
      this.#add(rule, { ...this.#common(name), type, address });
    }
  }

  /** Mesos-DNS's priority 0 and weight 1 (dns.md §4). */
  service(rule: string, name: Name, target: { readonly name: Name; readonly port: number }): void {
    if (!fitsWire(target.name)) return;
    const { port } = target;
    this.#add(rule, {
      ...this.#common(name),
      type: 'SRV',
      priority: 0,
      weight: 1,
      port,
      target: target.name,
    });
  }

  target(rule: string, type: 'PTR' | 'NS', name: Name, target: Name): void {
    if (fitsWire(target)) this.#add(rule, { ...this.#common(name), type, target });
  }

  #common(name: Name): { name: Name; class: number; ttl: number } {
    return { name, class: CLASS.IN, ttl: this.#ttl };
  }

  #add(rule: string, record: ResourceRecord): void {
    if (fitsWire(record.name)) this.given.push({ record, rule, source: this.#source });
  }
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
