import type { Listener } from '../core/model/listener.ts';
import type { ApiDependencies } from './dependencies.ts';

/** What became of a listener on one edge. */
export type ListenerOnEdge = {
  readonly edge: string;
  readonly state: 'open' | 'waiting' | 'not in force';
  /** Where it is open: `0.0.0.0:5432`. */
  readonly at?: string;
  /** Why it is not. */
  readonly problem?: string;
  /**
   * The kernel carries its connections; these instances see the edge's address instead of the client's. `except`: those that processes
   * carry all the same, and why.
   */
  readonly kernel?: { readonly masquerades: readonly string[]; readonly except?: string };
  /** Why the edge's processes carry them. */
  readonly because?: string;
};

/** On every edge. `waiting`: it opens with the first endpoint (`whileServed`). */
export function listenerStates(
  { database, presence }: ApiDependencies,
  { id }: Listener,
): readonly ListenerOnEdge[] {
  const edges = [...database.snapshot.table('agents').values()].filter((agent) => agent.edge);
  return edges.map(({ id: agentId, hostname: edge }): ListenerOnEdge => {
    const seen = presence.agents.get(agentId);
    if (seen?.connected !== true)
      return { edge, state: 'not in force', problem: 'the edge is not connected' };
    const told = seen.listeners?.find((one) => one.id === id);
    if (told === undefined) return { edge, state: 'not in force', problem: 'the edge has not opened it yet' };
    const { kernel, because } = told;
    const carried = { ...(kernel && { kernel }), ...(because !== undefined && { because }) };
    if (told.at !== undefined) return { edge, state: 'open', at: placeOf(told.at), ...carried };
    return told.problem === undefined
      ? { edge, state: 'waiting' }
      : { edge, state: 'not in force', problem: told.problem };
  });
}

/** `open on 2/2 edges (kernel)`, or on which it is not and why. */
export function stateText(states: readonly ListenerOnEdge[]): string {
  const open = states.filter(({ state }) => state === 'open');
  const kernel = open.length > 0 && open.every((one) => one.kernel !== undefined) ? ' (kernel)' : '';
  const rest = states.flatMap(({ edge, state, problem }) => {
    if (state === 'open') return [];
    return [state === 'waiting' ? `waits for an endpoint on ${edge}` : `not in force on ${edge}: ${problem}`];
  });
  return [`open on ${open.length}/${states.length} edges${kernel}`, ...rest].join('; ');
}

function placeOf({ address, port }: { readonly address: string; readonly port: number }): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}
