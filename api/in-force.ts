import type { ApiDependencies } from './dependencies.ts';

/** On how many edges the present Directory is in force. */
export function inForce({ database, publisher, presence }: ApiDependencies) {
  const { revision } = publisher.directory;
  const edges = [...database.snapshot.table('agents').values()].filter((agent) => agent.edge);
  const there = edges.filter((agent) => (presence.agents.get(agent.id)?.acks['edge'] ?? 0) >= revision);
  const unproven = edges.filter((agent) => presence.agents.get(agent.id)?.withoutKeys);
  return {
    ...{ revision, edges: edges.length, inForce: there.length },
    ...(unproven.length > 0 && { withoutKeys: unproven.map(({ hostname }) => hostname) }),
  };
}
