import { errorText } from '../core/kit/errors.ts';
import type { Log } from '../core/kit/log.ts';
import { isPod } from '../core/model/app.ts';
import type { ContainerStatus } from '../core/model/instance.ts';
import { podAdoption } from './adopt-pod.ts';
import { ownerOf } from './containers.ts';
import type { Instances } from './instances.ts';
import { howOf, type InstanceRecord, recordKey } from './record.ts';
import type { Container, ContainerRuntime } from './runtime.ts';

export type Adoption =
  | { readonly kind: 'keep' }
  /** It runs, and the agent died before it could note that. */
  | {
      readonly kind: 'running';
      readonly since: number;
      readonly containers?: readonly ContainerStatus[];
    }
  | {
      readonly kind: 'ended';
      readonly how: 'finished' | 'failed' | 'killed';
      readonly reason: string;
      readonly exitCode?: number;
      readonly at?: number;
    };

/** What a restarted agent makes of a record and of the container it finds for it. Pure. */
export function adoption(record: InstanceRecord, container: Container | undefined): Adoption {
  const { state } = record;
  if (state.kind === 'ended') return { kind: 'keep' };
  if (container?.state.kind === 'running') {
    return state.kind === 'staging' ? { kind: 'running', since: container.state.since } : { kind: 'keep' };
  }
  // Nobody asked it to end and nothing of it failed: the scheduler may start another at once.
  if (state.kind === 'staging')
    return { kind: 'ended', how: 'killed', reason: 'the agent was restarted while it was being started' };
  if (container?.state.kind === 'ended') {
    const { end } = container.state;
    return {
      kind: 'ended',
      how: howOf(state, end),
      reason: end.reason,
      at: end.at,
      ...(end.exitCode === undefined ? {} : { exitCode: end.exitCode }),
    };
  }
  // It was asked to end: that nothing of it is left is no failure.
  if (state.kind === 'killing') return { kind: 'ended', how: 'killed', reason: 'stopped' };
  return {
    kind: 'ended',
    how: 'failed',
    reason: 'its container is gone (the machine was restarted, or it was removed by hand)',
  };
}

/** Of a pod that is not whole any more the rest is removed with it. */
function outcomeOf(record: InstanceRecord, containers: ReadonlyMap<string, Container>): Adoption {
  if (!isPod(record.assignment.app)) return adoption(record, containers.get(recordKey(record.assignment)));
  const outcome = podAdoption(record, containers);
  if (outcome === 'lost')
    return record.failed === undefined ? adoption(record, undefined) : { kind: 'ended', ...record.failed };
  return outcome === 'keep' ? { kind: 'keep' } : outcome;
}

/** Brings records and containers together after a start: what runs is adopted, what belongs to no record is removed. */
export async function adoptAll(
  instances: Instances,
  runtime: ContainerRuntime,
  { now, log }: { now: number; log: Log },
): Promise<void> {
  const containers = new Map((await runtime.list()).map((container) => [container.id, container]));
  for (const [key, record] of instances.all) {
    const outcome = outcomeOf(record, containers);
    if (outcome.kind === 'running') {
      const health = record.assignment.app.healthChecks.map(() => null);
      await instances.update(key, {
        state: { kind: 'running', since: outcome.since, addresses: record.addresses, health },
        ...(outcome.containers && { containers: outcome.containers }),
      });
    }
    if (outcome.kind !== 'ended') continue;
    const { kind, how, reason, exitCode, at = now } = outcome;
    await instances.update(key, {
      state: { kind, at, how, reason, ...(exitCode === undefined ? {} : { exitCode }) },
    });
  }
  for (const id of containers.keys()) {
    if (ownerOf(id, instances.all) !== undefined) continue;
    await runtime.remove(id).catch((error: unknown) => {
      log.error('a container of no instance cannot be removed', { id, error: errorText(error) });
    });
  }
}
