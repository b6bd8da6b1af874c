import type { Assignment } from '../core/model/master-port.ts';
import type { InstanceRecord } from './record.ts';

export type AgentAction =
  /** Not here yet and wanted. */
  | { readonly kind: 'launch'; readonly key: string; readonly assignment: Assignment }
  /** Asked to end before it ever began here. */
  | { readonly kind: 'decline'; readonly key: string; readonly assignment: Assignment }
  /** Runs (or is on its way) and is not wanted. */
  | { readonly kind: 'stop'; readonly key: string; readonly reason: string }
  /** Ended: its container, links and addresses can go. */
  | { readonly kind: 'clean'; readonly key: string }
  /** The master has forgotten it, and nothing of it is left. */
  | { readonly kind: 'forget'; readonly key: string };

export type AgentWorld = {
  /** Undefined until the master has said what is wanted: until then nothing is stopped. */
  readonly assignments: ReadonlyMap<string, Assignment> | undefined;
  readonly records: ReadonlyMap<string, InstanceRecord>;
  /** Keys an action is being performed on. A stop may interrupt a launch; everything else waits. */
  readonly busy: ReadonlyMap<string, AgentAction['kind']>;
};

/** What an agent should do now to make its containers what the master wants. Pure. */
export function decide(world: AgentWorld): readonly AgentAction[] {
  const fresh = [...(world.assignments ?? [])].flatMap(([key, assignment]) => {
    if (world.records.has(key) || world.busy.has(key)) return [];
    return [
      {
        kind: assignment.placement.goal === 'run' ? ('launch' as const) : ('decline' as const),
        key,
        assignment,
      },
    ];
  });
  const present = [...world.records].flatMap(([key, record]) => actionFor(key, record, world) ?? []);
  return [...fresh, ...present];
}

function actionFor(key: string, record: InstanceRecord, world: AgentWorld): AgentAction | undefined {
  const busy = world.busy.get(key);
  if (record.state.kind === 'ended') {
    if (busy !== undefined) return undefined;
    if (!record.cleaned) return { kind: 'clean', key };
    return world.assignments !== undefined && !world.assignments.has(key)
      ? { kind: 'forget', key }
      : undefined;
  }
  if (busy !== undefined && busy !== 'launch') return undefined;
  // One of its containers failed: what is left of a pod ends, whatever the master says.
  if (record.failed !== undefined) return { kind: 'stop', key, reason: record.failed.reason };
  if (world.assignments === undefined) return undefined;
  const wanted = world.assignments.get(key);
  if (wanted === undefined) return { kind: 'stop', key, reason: 'it is not assigned to this agent' };
  if (wanted.placement.goal === 'stop')
    return { kind: 'stop', key, reason: wanted.placement.reason ?? 'stopped' };
  // Its launch or its stop broke off and could not be recorded (a full disk): without this it would stay as it is.
  if (busy === undefined && record.state.kind !== 'running')
    return { kind: 'stop', key, reason: `it broke off while ${record.state.kind}` };
  return undefined;
}
