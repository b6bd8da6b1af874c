import type { Endpoint, EndpointPort } from '../../core/model/directory.ts';
import type { Name } from '../wire/types.ts';
import { reverseName } from './reverse.ts';

/** A record that stands at another name. */
export type Move = { readonly from: Name; readonly to: Name };

/**
 * How the names of an endpoint's records change when it has other addresses and is otherwise as before: only those that lead from an
 * address back move. Undefined: more may have changed than that.
 */
export function movesOf(before: Endpoint, after: Endpoint): readonly Move[] | undefined {
  if (!before.ready || !after.ready || !hasSameIds(before, after)) return undefined;
  if (before.addresses.length !== after.addresses.length || !hasSamePorts(before, after)) return undefined;
  const moves: Move[] = [];
  for (let at = 0; at < before.addresses.length; at++) {
    const [was, is] = [before.addresses[at]!.ip, after.addresses[at]!.ip];
    if (was === is) continue;
    const [from, to] = [ownReverseName(was, before), ownReverseName(is, after)];
    if (from === undefined || to === undefined) return undefined;
    moves.push({ from, to });
  }
  return moves;
}

/** The name of a container's own address; its machine's leads back to the machine. */
function ownReverseName(ip: string, { agentAddress }: Endpoint): Name | undefined {
  return ip === agentAddress ? undefined : reverseName(ip);
}

function hasSameIds(a: Endpoint, b: Endpoint): boolean {
  return (
    a.taskId === b.taskId &&
    a.appId === b.appId &&
    a.agentId === b.agentId &&
    a.agentAddress === b.agentAddress
  );
}

function hasSamePorts(before: Endpoint, after: Endpoint): boolean {
  if (before.ports.length !== after.ports.length) return false;
  return before.ports.every((port, at) => {
    const other = after.ports[at]!;
    return isSamePort(port, other) && ownsPort(before, port) === ownsPort(after, other);
  });
}

/** Not where it is reached: that is in records, not in names. */
function isSamePort(a: EndpointPort, b: EndpointPort): boolean {
  return (
    a.name === b.name &&
    a.index === b.index &&
    (a.hostPort === undefined) === (b.hostPort === undefined) &&
    a.protocols.length === b.protocols.length &&
    a.protocols.every((protocol, at) => protocol === b.protocols[at])
  );
}

/** Whether it is at an address of the container. */
function ownsPort({ addresses }: Endpoint, { address }: EndpointPort): boolean {
  return addresses.some(({ ip }) => ip === address);
}
