import { targetKey, type VipService, type VipTable, type VipTarget } from './table.ts';

/** `held`: its time is over, and whoever asks it before clients do has not said yet. */
type Ejection = { readonly until: number; readonly failures: number; readonly held?: true };

const longest = 30_000;
/** One that does not answer at all costs a client as long as it waits: it is not tried again soon. */
const silentMs = 10_000;
/** A failure after so long without any counts as the first again, ms. */
const forgottenAfter = 60_000;

/**
 * Backends that did not take a connection lately, as this machine saw it: left alone for a second, twice as long each time,
 * half a minute at most. Never all of a service: if none answers, each is tried. Times in ms.
 */
export class Ejections {
  readonly #of = new Map<string, Ejection>();

  /** A connection to it failed: refused, or `silent`, not answered. True: it is left alone from now on, and was not before. */
  failed(target: string, now: number, { silent = false } = {}): boolean {
    const before = this.#of.get(target);
    // Connections that were on their way together fail together.
    if (before !== undefined && before.until > now) return false;
    const isRecent = before !== undefined && now - before.until < forgottenAfter;
    const failures = isRecent ? before.failures + 1 : 1;
    const span = Math.min(longest, 1_000 * 2 ** (failures - 1));
    this.#of.set(target, { until: now + (silent ? Math.max(span, silentMs) : span), failures });
    return true;
  }

  /** Takes back those whose time is over. True: there were any. */
  expired(since: number, now: number): boolean {
    let any = false;
    for (const [target, { until, held }] of this.#of) {
      if (held) continue;
      if (until > since && until <= now) any = true;
      if (now - until > forgottenAfter) this.#of.delete(target);
    }
    return any;
  }

  /**
   * Those whose time ended after `since`. They are left alone on until `asked` says what came of asking them, so that no client has
   * to find out.
   */
  hold(since: number, now: number): readonly string[] {
    const ended = [...this.#of].filter(([, { until, held }]) => !held && until > since && until <= now);
    for (const [target, ejection] of ended) this.#of.set(target, { ...ejection, held: true });
    return ended.map(([target]) => target);
  }

  /** It takes connections again, or still does not. False: it is no longer about the one that was held. */
  asked(target: string, answers: boolean, now: number): boolean {
    const ejection = this.#of.get(target);
    if (!ejection?.held) return false;
    if (answers) this.#of.set(target, { until: ejection.until, failures: ejection.failures });
    else this.failed(target, now);
    return true;
  }

  /** Somebody else is there now. */
  forget(target: string): void {
    this.#of.delete(target);
  }

  active(now: number): ReadonlySet<string> {
    const left = [...this.#of].filter(([, { until, held }]) => held || until > now);
    return new Set(left.map(([target]) => target));
  }
}

/** The table without these backends; the identical value where none is in it. */
export function withoutEjected(table: VipTable, ejected: ReadonlySet<string>): VipTable {
  if (ejected.size === 0) return table;
  const services = new Map(table.services);
  let changed = false;
  for (const [key, service] of table.services) {
    const left = service.backends.filter((target) => !ejected.has(targetKey(service.protocol, target)));
    if (left.length === service.backends.length || left.length === 0) continue;
    services.set(key, { ...service, backends: left } satisfies VipService);
    changed = true;
  }
  return changed ? { ...table, services } : table;
}

/** Those of these places (`targetKey`) that are backends of the table. */
export function backendsAmong(
  { services }: VipTable,
  places: ReadonlySet<string>,
): ReadonlyMap<string, VipTarget> {
  const found = new Map<string, VipTarget>();
  if (places.size === 0) return found;
  for (const { protocol, backends } of services.values())
    for (const target of backends) {
      const key = targetKey(protocol, target);
      if (places.has(key)) found.set(key, target);
    }
  return found;
}
