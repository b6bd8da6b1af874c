import type { Agent } from '../core/model/agent.ts';
import type { App } from '../core/model/app.ts';
import type { InstanceId } from '../core/model/ids.ts';
import { fieldOf } from './filters/constraints.ts';
import { isCurrent, type Member } from './view.ts';

export type StopRules = {
  readonly app: Pick<App, 'killSelection' | 'versionInfo'>;
  /** Named by a kill-and-scale call: these end first. */
  readonly sentenced: ReadonlySet<InstanceId>;
  /** Agent fields over which the instances that stay are kept in balance. */
  readonly groupBy: readonly string[];
  readonly agents: ReadonlyMap<string, Agent>;
};

/**
 * Which of an app's instances end when `count` are too many (Marathon §16.4): the sentenced, then always one of the largest
 * group; among equals those that serve least, then those on agents that are to become empty, then those of another configuration, then by age.
 */
export function chooseToStop(members: readonly Member[], count: number, rules: StopRules): readonly Member[] {
  if (count <= 0) return [];
  let rest = members.toSorted((a, b) => urgency(a, rules) - urgency(b, rules) || byService(a, b, rules));
  const chosen: Member[] = [];
  while (chosen.length < count && rest.length > 0) {
    const most = urgency(rest[0]!, rules);
    const next = ofLargestGroup(
      rest.filter((member) => urgency(member, rules) === most),
      rest,
      rules,
    );
    chosen.push(next);
    rest = rest.filter((member) => member !== next);
  }
  return chosen;
}

function urgency({ placement }: Member, { sentenced }: StopRules): number {
  return sentenced.has(placement.instanceId) ? 0 : 1;
}

function byService(a: Member, b: Member, { app }: StopRules): number {
  const direction = app.killSelection === 'YOUNGEST_FIRST' ? -1 : 1;
  return (
    service(a) - service(b) ||
    Number(b.leaving) - Number(a.leaving) ||
    Number(isCurrent(a, app)) - Number(isCurrent(b, app)) ||
    direction * (a.placement.createdAt - b.placement.createdAt) ||
    (a.placement.instanceId < b.placement.instanceId ? -1 : 1)
  );
}

/** Not launched yet, unreachable, on its way, running, taking traffic. */
function service({ instance, reach, ready }: Member): number {
  if (reach !== 'present') return 1;
  if (instance === undefined) return 0;
  if (instance.state.kind !== 'running') return 2;
  return ready ? 4 : 3;
}

/** The first candidate of the group that has most members; without `groupBy` all are one group. */
function ofLargestGroup(candidates: readonly Member[], all: readonly Member[], rules: StopRules): Member {
  const fields = rules.groupBy;
  if (fields.length === 0) return candidates[0]!;
  const groupOf = ({ placement }: Member) => {
    const agent = rules.agents.get(placement.agentId);
    return JSON.stringify(fields.map((field) => agent && fieldOf(agent, field)));
  };
  const sizes = Map.groupBy(all, groupOf);
  const sizeOf = (member: Member) => sizes.get(groupOf(member))!.length;
  return candidates.reduce((largest, member) => (sizeOf(member) > sizeOf(largest) ? member : largest));
}
