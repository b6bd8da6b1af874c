import type { Agent } from '../../core/model/agent.ts';
import type { App } from '../../core/model/app.ts';
import type { Constraint } from '../../core/model/constraint.ts';
import { portsOf } from '../../core/model/ports.ts';
import type { AgentView } from '../agent-view.ts';

/**
 * The rules of placement said once more, by looking at every agent and counting everything anew: what the search must find.
 * Shares no code with it.
 */
export function bestByBruteForce(
  app: App,
  peers: readonly Agent[],
  views: readonly AgentView[],
): AgentView | undefined {
  const able = views.filter((view) => canTake(app, peers, view));
  const mine = (view: AgentView) => peers.filter((peer) => peer.id === view.agent.id).length;
  const share = ({ agent, free }: AgentView) =>
    free.cpus / Math.max(agent.resources.cpus, 0.001) + free.mem / Math.max(agent.resources.mem, 1);
  return able.sort(
    (a, b) => mine(a) - mine(b) || share(b) - share(a) || (a.agent.id < b.agent.id ? -1 : 1),
  )[0];
}

function canTake(app: App, peers: readonly Agent[], view: AgentView): boolean {
  const kinds = ['cpus', 'mem', 'disk', 'gpus'] as const;
  return (
    kinds.every((kind) => app[kind] <= view.free[kind] + 1e-6) &&
    app.constraints.every((constraint) => holds(constraint, view.agent, peers, app.instances)) &&
    hasPorts(app, view)
  );
}

function hasPorts(app: App, view: AgentView): boolean {
  const wanted = portsOf(app).flatMap(({ hostPort }) => hostPort ?? []);
  const taken = new Set(view.takenPorts);
  for (const port of wanted.filter((port) => port > 0)) {
    if (taken.has(port)) return false;
    taken.add(port);
  }
  const free = view.agent.ports.flatMap(({ begin, end }) =>
    Array.from({ length: end - begin + 1 }, (_, index) => begin + index).filter((port) => !taken.has(port)),
  );
  return new Set(free).size >= wanted.filter((port) => port === 0).length;
}

function holds(
  { field, operator, value: wanted }: Constraint,
  agent: Agent,
  peers: readonly Agent[],
  target: number,
): boolean {
  const of = (one: Agent) => (field === 'hostname' ? one.hostname : one.attributes[field]);
  const value = of(agent);
  if (value === undefined) return operator === 'UNLIKE';
  const others = peers.map(of);
  const mine = others.filter((other) => other === value).length;
  const whole = new RegExp(`^(?:${wanted})$`);
  switch (operator) {
    case 'UNIQUE':
      return mine === 0;
    case 'MAX_PER':
      return mine < Number(wanted);
    case 'CLUSTER':
      return (wanted === undefined || wanted === value) && mine === others.length;
    case 'LIKE':
      return whole.test(value);
    case 'UNLIKE':
      return !whole.test(value);
    case 'IS':
      return value === wanted || Math.abs(Number(value) - Number(wanted)) < 0.0005;
    case 'GROUP_BY': {
      const groups = wanted === undefined ? 1 : Number(wanted);
      const sizes = [...Map.groupBy(others, (other) => other).values()].map((group) => group.length);
      if (wanted !== undefined && mine >= Math.ceil(target / groups)) return false;
      return mine === 0 || (sizes.length >= groups && mine === Math.min(...sizes));
    }
  }
}
