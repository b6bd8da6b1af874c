import type { InstanceId } from '../../core/model/ids.ts';
import type { VipChange } from './decide.ts';

/** How long an answer may take, ms. */
const mostMs = 1_000;

/** UDP backends that left a moment ago. Datagrams have no end that could be seen, so what is under way is given its time. */
export class LateDatagrams {
  /** Until when they count. */
  readonly #left = new Map<InstanceId, number>();

  observe(changes: readonly VipChange[], now: number): void {
    for (const [instance, until] of this.#left) if (until <= now) this.#left.delete(instance);
    for (const change of changes) {
      if (change.type === 'add' || change.service.protocol !== 'udp') continue;
      const gone = change.type === 'remove' ? change.service.backends : change.gone;
      for (const { instanceId } of gone) this.#left.set(instanceId, now + mostMs);
    }
  }

  instances(now: number): readonly InstanceId[] {
    return [...this.#left].filter(([, until]) => until > now).map(([instance]) => instance);
  }
}
