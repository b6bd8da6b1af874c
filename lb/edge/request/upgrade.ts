import { requestFraming } from '../http1/body.ts';
import { withoutBlanks } from '../http1/characters.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { valuesOf } from './forward.ts';

const protocolPattern = /^[!#$%&'*+\-.^_`|~0-9a-z]+(?:\/[!#$%&'*+\-.^_`|~0-9a-z]+)?$/;

/** The protocols that a request may be upgraded to; undefined: none. Only a GET without content may. */
export function upgradeOf(head: RequestHead): string | undefined {
  const plain = head.upgrade && head.minor === 1 && head.method === 'GET' && requestFraming(head) === 'none';
  if (!plain) return undefined;
  const asked = valuesOf(head, 'upgrade');
  const names = protocolsOf(asked);
  return names.length === 0 || names.some(leavesFraming) ? undefined : asked;
}

/** Whether a 101 names what was asked for (RFC 9110 §7.8). One that does not may be text of a service that repeats any status. */
export function isAgreed(asked: string, head: ResponseHead): boolean {
  const names = protocolsOf(valuesOf(head, 'upgrade'));
  const known = new Set(protocolsOf(asked).map(withoutVersion));
  return names.length > 0 && names.every((name) => known.has(withoutVersion(name)));
}

/** Lower case; none if one of them is no protocol. */
function protocolsOf(list: string): readonly string[] {
  const names = list.toLowerCase().split(',').map(withoutBlanks);
  return names.every((name) => protocolPattern.test(name)) ? names : [];
}

/** Never passed on: the endpoint would leave our framing. */
function leavesFraming(name: string): boolean {
  return ['h2', 'h2c', 'tls', 'http'].includes(withoutVersion(name));
}

function withoutVersion(name: string): string {
  return name.split('/', 1)[0]!;
}
