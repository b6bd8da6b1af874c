import { type Listener, sharePlace } from '../model/listener.ts';

/** A listener that is not opened because its place is another one's. */
export type RefusedListener = { readonly listener: Listener; readonly holder: Listener };

/**
 * Whose listeners are in force where several want one place: who had it first keeps it; of those that come together an operator's
 * goes before one that labels of an app declare, then the id decides.
 */
export class ListenerClaims {
  readonly #declared = new Map<string, Listener>();
  readonly #granted = new Map<string, Listener>();
  readonly #idsAt = new Map<number, Set<string>>();

  /** Takes declared listeners by id (undefined: it is gone); gives, for these and all others of their ports, what is in force. */
  change(wanted: ReadonlyMap<string, Listener | undefined>): ReadonlyMap<string, Listener | undefined> {
    const result = new Map<string, Listener | undefined>();
    const ports = new Set<number>();
    for (const [id, listener] of wanted) {
      for (const { port } of [this.#forget(id), listener].filter((one) => one !== undefined)) ports.add(port);
      if (listener !== undefined) this.#add(listener);
      result.set(id, undefined);
    }
    for (const port of ports) this.#settle(port, result);
    return result;
  }

  clear(): void {
    for (const index of [this.#declared, this.#granted, this.#idsAt]) index.clear();
  }

  /** Who has the place that this one wants; undefined: nobody, or it is its own. */
  holder(wanted: Listener): Listener | undefined {
    const all = [...(this.#idsAt.get(wanted.port) ?? [])].flatMap((id) => this.#granted.get(id) ?? []);
    return all.find((other) => other.id !== wanted.id && sharePlace(other, wanted));
  }

  get refused(): readonly RefusedListener[] {
    return [...this.#declared.values()].flatMap((listener) => {
      if (this.#granted.has(listener.id)) return [];
      const holder = this.holder(listener);
      return holder === undefined ? [] : [{ listener, holder }];
    });
  }

  #settle(port: number, result: Map<string, Listener | undefined>): void {
    const all = [...(this.#idsAt.get(port) ?? [])].flatMap((id) => this.#declared.get(id) ?? []);
    const ranked = all.toSorted((a, b) => this.#rank(a) - this.#rank(b) || (a.id < b.id ? -1 : 1));
    for (const { id } of all) this.#granted.delete(id);
    for (const listener of ranked) {
      const granted = this.holder(listener) === undefined;
      if (granted) this.#granted.set(listener.id, listener);
      result.set(listener.id, granted ? listener : undefined);
    }
  }

  #rank({ id, owner }: Listener): number {
    if (this.#granted.has(id)) return 0;
    return owner.startsWith('app:') ? 2 : 1;
  }

  #forget(id: string): Listener | undefined {
    const listener = this.#declared.get(id);
    if (listener === undefined) return undefined;
    this.#declared.delete(id);
    this.#idsAt.get(listener.port)?.delete(id);
    if (this.#idsAt.get(listener.port)?.size === 0) this.#idsAt.delete(listener.port);
    return listener;
  }

  #add(listener: Listener): void {
    this.#declared.set(listener.id, listener);
    this.#idsAt.set(listener.port, (this.#idsAt.get(listener.port) ?? new Set()).add(listener.id));
  }
}
