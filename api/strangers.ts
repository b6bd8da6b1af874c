import type { InstanceId } from '../core/model/ids.ts';
import type { Instance } from '../core/model/instance.ts';
import type { AgentReport } from '../core/model/master-port.ts';
import type { Snapshot } from '../core/state/snapshot.ts';

/** More than this at once are not followed. */
const most = 10_000;

/** Instances that run though no placement of them is kept: their agent was given up or removed, and came back. */
export class Strangers {
  readonly #seen = new Set<InstanceId>();
  readonly #ended: (instance: Instance) => void;

  constructor(ended: (instance: Instance) => void) {
    this.#ended = ended;
  }

  /** Tells of each the first time that it is reported as ended after it was seen alive. */
  note({ instances }: AgentReport, snapshot: Snapshot): void {
    for (const instance of instances) {
      const { instanceId, state } = instance;
      if (snapshot.table('placements').has(instanceId)) continue;
      if (state.kind !== 'ended') {
        if (this.#seen.size < most) this.#seen.add(instanceId);
      } else if (this.#seen.delete(instanceId)) this.#ended(instance);
    }
  }
}
