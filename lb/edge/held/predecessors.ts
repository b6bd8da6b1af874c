import type { DirectoryDelta } from '../../../core/model/directory.ts';
import type { FullReport } from '../messages.ts';
import { Caller } from './caller.ts';
import type { Call, Calls } from './messages.ts';

/** Edges that were here before and still have clients. They follow what the present one is told, and it answers for them. */
export class Predecessors {
  readonly #callers = new Map<string, Caller>();

  async meet(folder: string, names: readonly string[]): Promise<void> {
    for (const name of names) {
      const caller = await Caller.meet(folder, name);
      if (caller === undefined) continue;
      this.#callers.set(name, caller);
      caller.onClosed = () => this.#callers.delete(name);
    }
  }

  get names(): readonly string[] {
    return [...this.#callers.keys()];
  }

  get generations(): readonly number[] {
    return [...this.#callers.values()].flatMap(({ state }) => state.generations);
  }

  async apply(delta: DirectoryDelta): Promise<void> {
    await this.#ask('apply', delta);
  }

  async inFlight(): Promise<readonly (readonly [string, number])[]> {
    return (await this.#ask('inFlight', undefined)).flatMap((counts) => [...counts]);
  }

  async reports(): Promise<readonly FullReport[]> {
    return (await this.#ask('reports', undefined)).flat();
  }

  async end(): Promise<void> {
    await this.#ask('end', undefined);
  }

  /** Somebody else answers for them. */
  letGo(): void {
    for (const caller of this.#callers.values()) caller.close();
    this.#callers.clear();
  }

  /** What those say that are not gone meanwhile. */
  async #ask<C extends Call>(call: C, asks: Calls[C]['asks']): Promise<readonly Calls[C]['answer'][]> {
    const asked = [...this.#callers.values()].map((caller) => caller.ask(call, asks));
    return (await Promise.allSettled(asked)).flatMap((one) =>
      one.status === 'fulfilled' ? [one.value] : [],
    );
  }
}
