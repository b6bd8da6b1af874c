import { targetKey, type VipService, type VipTarget } from '../../table.ts';

type Stay = { readonly target: string; readonly until: number };

/** Clients remembered for one service; the one whose connection is longest ago makes room. */
const mostClients = 65_536;

/** Where the clients of one service went last, by address; for as long as the service says. Times in ms. */
export class Affinity {
  readonly #now: () => number;
  readonly #stays = new Map<string, Stay>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The backend where this client's last connection went, if it is one still and not too long ago. */
  of(service: VipService, client: string): VipTarget | undefined {
    const stay = this.#stays.get(client);
    if (service.affinitySeconds === undefined || stay === undefined || stay.until <= this.#now())
      return undefined;
    return service.backends.find((target) => targetKey(service.protocol, target) === stay.target);
  }

  /** A connection of this client was led there. */
  went({ protocol, affinitySeconds }: VipService, client: string, target: VipTarget): void {
    this.#stays.delete(client);
    if (affinitySeconds === undefined) return;
    const until = this.#now() + affinitySeconds * 1_000;
    this.#stays.set(client, { target: targetKey(protocol, target), until });
    if (this.#stays.size > mostClients) this.#stays.delete(this.#stays.keys().next().value!);
  }
}
