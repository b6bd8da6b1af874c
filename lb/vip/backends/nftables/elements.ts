import type { VipChange } from '../../decide.ts';
import { type SlotChoice, type Slots, slotsOf } from '../../slots.ts';
import type { VipService } from '../../table.ts';

/** What of the rules is about single services: chains by the number of slots, and elements. Pure. `t`: family and table. */

const protocols = ['tcp', 'udp'] as const;

/** Names of the chains that these services need; those of one slot first, because the others lead to them. */
export function chainsOf(services: Iterable<VipService>): readonly string[] {
  const names = new Set<string>();
  for (const service of services) {
    const chain = chainOf(service.protocol, slotsOf(service));
    if (chain !== undefined) names.add(`${service.protocol}-of-1`).add(chain);
  }
  return [...names].sort((a, b) => sizeOf(a) - sizeOf(b) || (a < b ? -1 : 1));
}

/**
 * Draws one of n slots. The last rule is for a packet that read its n just before a change took the slot away: the first
 * slot is there whenever the service is.
 */
export function chainLines(t: string, chain: string): readonly string[] {
  const ip = t.split(' ')[0]!;
  const [, l4, way] = /^(tcp|udp)-(.*)of-\d+$/.exec(chain) ?? [];
  const draw = `${draws(ip, l4!)[way as keyof ReturnType<typeof draws>]} mod ${sizeOf(chain)}`;
  const key = `${ip} daddr . ${l4} dport . ${draw}`;
  return [
    `add chain ${t} ${chain}`,
    `add rule ${t} ${chain} meta l4proto ${l4} dnat ${ip} to ${key} map @${l4}-targets`,
    ...(sizeOf(chain) === 1 ? [] : [`add rule ${t} ${chain} goto ${l4}-of-1`]),
  ];
}

export function changeLines(t: string, change: VipChange): readonly string[] {
  const { service } = change;
  const none = { ...service, backends: [] };
  if (change.type === 'add') return elementLines(t, none, service);
  if (change.type === 'remove') return elementLines(t, service, none);
  return elementLines(t, change.before, service);
}

/** Slot i leads to target i. Only what differs is written; a service without backends is nothing at all. */
export function elementLines(t: string, before: VipService, service: VipService): readonly string[] {
  const l4 = service.protocol;
  const [was, is] = [slotsOf(before), slotsOf(service)];
  const [old, chain] = [chainOf(l4, was), chainOf(l4, is)];
  const key = `${service.address} . ${l4} . ${service.port}`;
  const slot = (i: number): string => `${service.address} . ${service.port} . ${i}`;
  const differs = (i: number): boolean => goal(was, i) !== goal(is, i);
  const gone = [...was.targets.keys()].filter(differs).map(slot);
  const come = [...is.targets.keys()].filter(differs).map((i) => `${slot(i)} : ${goal(is, i)}`);
  return [
    ...(old !== undefined && chain !== old ? [`delete element ${t} services { ${key} }`] : []),
    ...(chain !== undefined && chain !== old ? [`add element ${t} services { ${key} : goto ${chain} }`] : []),
    ...(old !== undefined && chain === undefined ? [`delete element ${t} counted { ${key} }`] : []),
    ...(old === undefined && chain !== undefined ? [`add element ${t} counted { ${key} }`] : []),
    ...(gone.length > 0 ? [`delete element ${t} ${l4}-targets { ${gone.join(', ')} }`] : []),
    ...(come.length > 0 ? [`add element ${t} ${l4}-targets { ${come.join(', ')} }`] : []),
  ];
}

const ways: Readonly<Record<SlotChoice, string>> = { random: '', address: 'by-address-', flow: 'by-flow-' };

function draws(ip: string, l4: string) {
  return {
    '': 'numgen random',
    'by-address-': `jhash ${ip} saddr`,
    'by-flow-': `jhash ${ip} saddr . ${l4} sport`,
  };
}

/** Undefined: nothing to draw from. */
function chainOf(l4: (typeof protocols)[number], { choice, targets }: Slots): string | undefined {
  return targets.length === 0 ? undefined : `${l4}-${ways[choice]}of-${targets.length}`;
}

function sizeOf(chain: string): number {
  return Number(chain.slice(chain.lastIndexOf('-') + 1));
}

function goal({ targets }: Slots, i: number): string | undefined {
  const target = targets[i];
  return target === undefined ? undefined : `${target.address} . ${target.port}`;
}
