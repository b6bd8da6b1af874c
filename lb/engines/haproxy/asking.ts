import type { RouteTable } from '../../edge/routes/route-table.ts';
import { wildcardsOf } from './routing.ts';
import { partsOf } from './scopes.ts';
import { owns, type View } from './view.ts';

/** Which clients are asked for certificates while they greet us, by the name of their hello. */
export type Asking = {
  /** Hosts whose routes want some, as routes name them. */
  readonly hosts: readonly string[];
  /** Whose certificates, PEM. Undefined: nobody's, or several routes of this host want those of different authorities. */
  readonly authoritiesOf: (host: string) => string | undefined;
};

const nobody: ReadonlySet<string> = new Set();

/** Hosts with routes that want to know certificates of clients, by the authorities that they want. */
export class AskingHosts {
  readonly #authorities = new Map<string, ReadonlySet<string>>();

  get isEmpty(): boolean {
    return this.#authorities.size === 0;
  }

  /**
   * Gives whether anything is another than before. Then only another process can know: clients that are connected were asked for what was
   * wanted when they came.
   */
  follow(view: View, claims: readonly string[]): boolean {
    let isOther = false;
    for (const claim of claims) {
      const wanted = owns(view, claim) ? authoritiesIn(view.table, claim) : nobody;
      isOther ||= wanted.symmetricDifference(this.#authorities.get(claim) ?? nobody).size > 0;
      if (wanted.size === 0) this.#authorities.delete(claim);
      else this.#authorities.set(claim, wanted);
    }
    return isOther;
  }

  /** Of a listener's table. */
  of(scope: string): Asking {
    const hosts = [...this.#authorities.keys()]
      .map(partsOf)
      .flatMap((one) => (one.scope === scope ? one.host : []));
    return { hosts, authoritiesOf: (host) => onlyOne(this.#wanted(scope, host)) };
  }

  /** Hosts where HAProxy cannot ask: a client shows one certificate, and the handshake is to know who may have signed it. */
  get disputed(): readonly string[] {
    return [...this.#authorities.keys()].filter((claim) => {
      const { scope, host } = partsOf(claim);
      return this.#wanted(scope, host).size > 1;
    });
  }

  /** Whatever routes a request for this host could take. */
  #wanted(scope: string, host: string): ReadonlySet<string> {
    const names = [host, ...wildcardsOf(host)];
    return new Set(names.flatMap((name) => [...(this.#authorities.get(scope + name) ?? [])]));
  }
}

function authoritiesIn({ hosts }: RouteTable, claim: string): ReadonlySet<string> {
  const routes = hosts.get(claim)?.routes ?? [];
  return new Set(routes.flatMap(({ declared }) => declared.options?.clientCertificate?.authorities ?? []));
}

function onlyOne(texts: ReadonlySet<string>): string | undefined {
  return texts.size === 1 ? [...texts][0] : undefined;
}
