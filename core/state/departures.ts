import { type Directory, type DirectoryDelta, takesPart } from '../model/directory.ts';
import type { InstanceId } from '../model/ids.ts';

/** How long a departure is remembered, in departures. */
const kept = 200_000;

/** Since when instances take no new traffic: which revision was the first that had them drain, or not at all. */
export class Departures {
  readonly #of = new Map<InstanceId, number>();
  #first = 0;

  /** `first`: the revision that all begins with. */
  begin(first: number): void {
    this.#of.clear();
    this.#first = first;
  }

  note({ endpoints, revision }: DirectoryDelta): void {
    const drain = (endpoints?.set ?? []).filter((endpoint) => endpoint.draining).map((one) => one.instanceId);
    for (const instance of [...(endpoints?.gone ?? []), ...drain])
      this.#of.set(instance, this.#of.get(instance) ?? revision);
    for (const endpoint of endpoints?.set ?? []) if (!endpoint.draining) this.#of.delete(endpoint.instanceId);
    for (const oldest of this.#of.keys()) {
      if (this.#of.size <= kept) break;
      this.#of.delete(oldest);
    }
  }

  /**
   * The first revision in which this instance takes no new traffic: a drain is over when every consumer has it in force.
   * One that was not seen leaving was so from the first revision on. Undefined: it takes part.
   */
  since(instance: InstanceId, directory: Directory): number | undefined {
    if (takesPart(directory, instance)) return undefined;
    return this.#of.get(instance) ?? this.#first;
  }
}
