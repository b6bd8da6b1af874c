import type { Vip } from '../core/model/directory.ts';
import type { AppId } from '../core/model/ids.ts';
import type { ServiceRef } from '../core/model/route.ts';
import type { ZoneOptions } from './options.ts';
import { type Given, RecordSource } from './record-source.ts';
import { recordsOfVip } from './records/of-vip.ts';

/** A VIP that the zone knows, and the records it gives. */
export class HeldVip extends RecordSource {
  vip: Vip;
  readonly #options: ZoneOptions;

  constructor(vip: Vip, options: ZoneOptions) {
    super('vip', vip.key);
    this.vip = vip;
    this.#options = options;
  }

  write(): readonly Given[] {
    return recordsOfVip(this.vip, this.#options, this.known);
  }
}

/** VIPs by key, and by the port of the app they stand for. */
export class VipIndex {
  readonly #options: ZoneOptions;
  readonly #held = new Map<string, HeldVip>();
  readonly #byService = new Map<string, readonly Vip[]>();

  constructor(options: ZoneOptions) {
    this.#options = options;
  }

  *all(): Iterable<Vip> {
    for (const { vip } of this.#held.values()) yield vip;
  }

  keys(): Iterable<string> {
    return this.#held.keys();
  }

  get(key: string): Vip | undefined {
    return this.#held.get(key)?.vip;
  }

  ofService(appId: AppId, portIndex: number): readonly Vip[] {
    return this.#byService.get(serviceKey({ appId, portIndex })) ?? [];
  }

  /** Keeps a VIP in the place of what was known of its key. Its records are still those of before. */
  put(vip: Vip): HeldVip {
    const held = this.#held.get(vip.key) ?? new HeldVip(vip, this.#options);
    for (const service of held.vip.services) this.#relist(service, vip.key, undefined);
    held.vip = vip;
    this.#held.set(vip.key, held);
    for (const service of vip.services) this.#relist(service, vip.key, vip);
    return held;
  }

  delete(key: string): HeldVip | undefined {
    const held = this.#held.get(key);
    for (const service of held?.vip.services ?? []) this.#relist(service, key, undefined);
    this.#held.delete(key);
    return held;
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
