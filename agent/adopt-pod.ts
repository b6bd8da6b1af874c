import type { ContainerStatus } from '../core/model/instance.ts';
import { containersOf } from './containers.ts';
import { hasEnded } from './pod-ends.ts';
import type { InstanceRecord } from './record.ts';
import type { Container } from './runtime.ts';

export type AdoptedPod = {
  readonly kind: 'running';
  readonly since: number;
  readonly containers: readonly ContainerStatus[];
};

/** What a restarted agent makes of the record of a pod and of the containers it finds. Ends it finds are told to it later. Pure. */
export function podAdoption(
  record: InstanceRecord,
  containers: ReadonlyMap<string, Container>,
): 'keep' | 'lost' | AdoptedPod {
  const { state } = record;
  if (state.kind === 'ended') return 'keep';
  const found = containersOf(record.assignment).map(({ id, name = '' }) => ({
    name,
    state: containers.get(id)?.state,
  }));
  if (state.kind !== 'staging') {
    const isWhole = found.every(({ name, state }) => wasStarted(state) || hasEnded(record, name));
    return isWhole ? 'keep' : 'lost';
  }
  const started = found.flatMap(({ name, state }) =>
    state?.kind === 'running' ? [{ name, since: state.since }] : [],
  );
  if (started.length < found.length) return 'lost';
  return { kind: 'running', since: Math.max(...started.map(({ since }) => since)), containers: started };
}

function wasStarted(state: Container['state'] | undefined): boolean {
  return state !== undefined && state.kind !== 'created';
}
