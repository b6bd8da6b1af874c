import type { InstanceRecord } from '../../../agent/record.ts';
import type { Directory } from '../../../core/model/directory.ts';
import type { VipAudit, VipDrift } from '../../../lb/vip/backend.ts';

export type InstancesParts = {
  readonly agentId: string;
  readonly directory: () => Directory;
  /** What runs here. */
  readonly records: () => Iterable<InstanceRecord>;
  /** Tells the master everything again. */
  readonly report: () => void;
};

/**
 * Compares what the Directory says of this machine's instances with what runs. News are on their way all the time, so only
 * what two rounds in a row find counts.
 */
export class InstancesAudit implements VipAudit {
  readonly #parts: InstancesParts;
  #before: ReadonlySet<string> = new Set();

  constructor(parts: InstancesParts) {
    this.#parts = parts;
  }

  async audit(): Promise<readonly VipDrift[]> {
    const found = new Set(this.#differences());
    const lasting = found.intersection(this.#before);
    this.#before = found;
    if (lasting.size > 0) this.#parts.report();
    return [...lasting].map((what) => ({ what, repaired: false }));
  }

  #differences(): readonly string[] {
    const { agentId, directory, records } = this.#parts;
    const running = new Map(
      [...records()]
        .filter(({ state }) => state.kind === 'running')
        .map((record) => [record.assignment.placement.instanceId, record]),
    );
    return [...directory().endpoints.values()]
      .filter((endpoint) => endpoint.agentId === agentId)
      .flatMap(({ instanceId, addresses }) => {
        const record = running.get(instanceId);
        if (record === undefined) return [`the Directory has ${instanceId}, which does not run here`];
        const own = new Set(record.addresses.map(({ ip }) => ip));
        const strange = addresses.filter(({ ip }) => !own.has(ip));
        return strange.map(({ ip }) => `the Directory has ${instanceId} at ${ip}, which is not its address`);
      });
  }
}
