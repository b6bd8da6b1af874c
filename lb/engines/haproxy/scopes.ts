import { isHttp, type Listener, tableOf } from '../../../core/model/listener.ts';
import { scopeOf } from '../../../core/model/route.ts';

/** A key of a table's hosts in its parts: `scope` as `scopeOf` writes it, and the host. */
export function partsOf(claim: string): { readonly scope: string; readonly host: string } {
  const end = claim.lastIndexOf('|') + 1;
  return { scope: claim.slice(0, end), host: claim.slice(end) };
}

/** The scope of what a listener serves. */
export function scopeServed(listener: Listener): string {
  return scopeOf(tableOf(listener));
}

/**
 * The tables that open listeners serve, by kind. In maps each has a short name of its own: what names a table may be anything that is
 * visible, and a map takes less.
 */
export class Scopes {
  readonly #names = new Map<string, string>();
  #http: ReadonlySet<string> = new Set(['']);
  #streams: ReadonlySet<string> = new Set();

  follow(listeners: Iterable<Listener>): void {
    const all = [...listeners];
    const of = (http: boolean) =>
      all.filter(({ protocol }) => isHttp(protocol) === http).map((listener) => scopeServed(listener));
    this.#http = new Set(['', ...of(true)]);
    this.#streams = new Set(of(false));
  }

  get http(): ReadonlySet<string> {
    return this.#http;
  }

  get streams(): ReadonlySet<string> {
    return this.#streams;
  }

  /** Put in front of hosts, in maps. */
  nameOf(scope: string): string {
    if (scope === '') return '';
    const name = this.#names.get(scope) ?? `t${this.#names.size + 1}|`;
    this.#names.set(scope, name);
    return name;
  }
}
