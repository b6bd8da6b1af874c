import type { ContainerOutcome, ContainerStatus } from '../core/model/instance.ts';
import { howOf, type InstanceRecord } from './record.ts';
import type { ContainerEnd } from './runtime.ts';

/**
 * What the end of one container makes of the record of its pod (Marathon §19.1): an error ends the whole pod, exit code 0
 * leaves the others running, and when all have finished the pod has. Undefined: nothing new. Pure.
 */
export function podEnded(
  record: InstanceRecord,
  { name, end, now }: { readonly name: string; readonly end: ContainerEnd; readonly now: number },
): Partial<InstanceRecord> | undefined {
  const { state } = record;
  if (state.kind === 'ended' || hasEnded(record, name)) return undefined;
  const outcome = outcomeOf(howOf(state, end), end);
  const containers = withEnd(record, name, outcome);
  if (outcome.how === 'failed')
    return {
      containers,
      failed: { ...outcomeOf('failed', end), reason: `container ${name}: ${end.reason}` },
      state: { kind: 'killing', since: now },
    };
  const names = record.assignment.app.pod?.containers ?? [];
  const isLast = names.every((container) => hasEnded({ containers }, container.name));
  if (outcome.how === 'killed' || !isLast) return { containers };
  const { at, exitCode = 0 } = outcome;
  const reason = 'all of its containers have finished';
  return { containers, state: { kind: 'ended', at, how: 'finished', reason, exitCode } };
}

/** The statuses with those of what was just stopped; how a container ended before stays. */
export function withStopped(
  record: InstanceRecord,
  ends: readonly { readonly name: string; readonly end: ContainerEnd }[],
): readonly ContainerStatus[] {
  return ends.reduce(
    (containers, { name, end }) =>
      hasEnded({ containers }, name) ? containers : withEnd({ containers }, name, outcomeOf('killed', end)),
    record.containers ?? [],
  );
}

export function withStarted(
  { containers = [] }: Pick<InstanceRecord, 'containers'>,
  name: string,
  since: number,
): readonly ContainerStatus[] {
  // Its end may be known first.
  return containers.some((status) => status.name === name) ? containers : [...containers, { name, since }];
}

export function hasEnded({ containers = [] }: Pick<InstanceRecord, 'containers'>, name: string): boolean {
  return containers.some((status) => status.name === name && status.end !== undefined);
}

function withEnd(
  record: Pick<InstanceRecord, 'containers'>,
  name: string,
  end: ContainerOutcome,
): readonly ContainerStatus[] {
  return withStarted(record, name, end.at).map((status) =>
    status.name === name ? { ...status, end } : status,
  );
}

function outcomeOf(how: ContainerOutcome['how'], { at, reason, exitCode }: ContainerEnd): ContainerOutcome {
  return { at, how, reason, ...(exitCode === undefined ? {} : { exitCode }) };
}
