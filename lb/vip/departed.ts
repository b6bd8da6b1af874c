import type { InstanceId } from '../../core/model/ids.ts';
import { decide } from './decide.ts';
import { targetKey, type VipService, type VipTable } from './table.ts';

/** Backends that take no new connections any more but may still have open ones, by instance. TCP only. */
export class Departed {
  readonly #targets = new Map<InstanceId, Set<string>>();

  /** A backend that came back is no longer departed; one that left its last service is. */
  observe(before: VipTable, after: VipTable): void {
    const changes = decide(before, after);
    for (const change of changes) {
      if (change.type === 'add') continue;
      const gone = change.type === 'remove' ? change.service.backends : change.gone;
      if (change.service.protocol === 'tcp') for (const target of gone) this.#add(target.instanceId, target);
    }
    for (const change of changes) if (change.type !== 'remove') this.#returned(change.service);
  }

  instances(): readonly InstanceId[] {
    return [...this.#targets.keys()];
  }

  /** Keys of its backends (`targetKey`). */
  targetsOf(instance: InstanceId): readonly string[] {
    return [...(this.#targets.get(instance) ?? [])];
  }

  forget(instance: InstanceId): void {
    this.#targets.delete(instance);
  }

  /** As it was in another life of this process. */
  restore(instance: InstanceId, targets: readonly string[]): void {
    if (targets.length > 0) this.#targets.set(instance, new Set(targets));
  }

  clear(): void {
    this.#targets.clear();
  }

  #add(instance: InstanceId, target: { readonly address: string; readonly port: number }): void {
    const targets = this.#targets.get(instance) ?? new Set();
    this.#targets.set(instance, targets.add(targetKey('tcp', target)));
  }

  #returned(service: VipService): void {
    for (const target of service.backends) {
      const targets = this.#targets.get(target.instanceId);
      if (targets?.delete(targetKey(service.protocol, target)) && targets.size === 0)
        this.#targets.delete(target.instanceId);
    }
  }
}
