import type { Vip } from '../core/model/directory.ts';
import type { AppId } from '../core/model/ids.ts';
import type { ServiceRef } from '../core/model/route.ts';

/** VIPs by key, and by the port of the app they stand for. */
export class VipIndex {
  readonly #vips = new Map<string, Vip>();
  readonly #byService = new Map<string, readonly Vip[]>();

  get all(): ReadonlyMap<string, Vip> {
    return this.#vips;
  }

  get(key: string): Vip | undefined {
    return this.#vips.get(key);
  }

  ofService(appId: AppId, portIndex: number): readonly Vip[] {
    return this.#byService.get(serviceKey({ appId, portIndex })) ?? [];
  }

  /** Sets or removes (undefined) a VIP; gives the one before. */
  replace(key: string, vip: Vip | undefined): Vip | undefined {
    const before = this.#vips.get(key);
    for (const service of before?.services ?? []) this.#relist(service, key, undefined);
    if (vip === undefined) this.#vips.delete(key);
    else this.#vips.set(key, vip);
    for (const service of vip?.services ?? []) this.#relist(service, key, vip);
    return before;
  }

  #relist(service: ServiceRef, key: string, vip: Vip | undefined): void {
    const id = serviceKey(service);
    const others = (this.#byService.get(id) ?? []).filter((other) => other.key !== key);
    const list = vip === undefined ? others : [...others, vip];
    if (list.length === 0) this.#byService.delete(id);
    else this.#byService.set(id, list);
  }
}

function serviceKey(service: ServiceRef): string {
  return `${service.appId}#${service.portIndex}`;
}
