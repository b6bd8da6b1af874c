import type { VipChange } from '../../decide.ts';
import { type SlotChoice, type Slots, slotsOf } from '../../slots.ts';
import type { VipService } from '../../table.ts';
import { affinityOf, inRules, keptRule, rememberRules } from './affinity.ts';

/** What of the rules is about single services: chains by the number of slots, and elements. Pure. `t`: family and table. */

/** Names of the chains that these services need, in an order in which each leads only to chains before it. */
export function chainsOf(services: Iterable<VipService>): readonly string[] {
  const names = new Set<string>();
  for (const service of services) {
    const [chain, seconds] = [chainOf(service), affinityOf(service)];
    if (chain === undefined) continue;
    names.add(`${service.protocol}-of-1`).add(chain.replace(keeps, '')).add(chain);
    if (seconds !== undefined) names.add(`${remembers}${seconds}`);
  }
  return inOrder(names);
}

/** Whether a chain of this name may be ours; those that an earlier process needed and this one does not are left, empty. */
export function isChain(name: string): boolean {
  return /^(tcp|udp)-(kept-)?(by-(address|flow)-)?of-\d+$|^remember-\d+$/.test(name);
}

export function inOrder(chains: Iterable<string>): readonly string[] {
  const rank = (chain: string): number => (chain.includes(keeps) ? 1 : 0);
  return [...chains].sort((a, b) => rank(a) - rank(b) || sizeOf(a) - sizeOf(b) || (a < b ? -1 : 1));
}

/** In the name of a chain that first looks where the client's last connection went. */
const keeps = 'kept-';
/** And of one that notes where it goes, for so many seconds. */
const remembers = 'remember-';

/** Of the chains that `chainsOf` names. */
export function chainLines(t: string, chain: string): readonly string[] {
  if (chain.startsWith(remembers))
    return [`add chain ${t} ${chain}`, ...rememberRules(t, chain, sizeOf(chain))];
  if (!chain.includes(keeps)) return drawLines(t, chain);
  const draws = chain.replace(keeps, '');
  return [`add chain ${t} ${chain}`, keptRule(t, chain), `add rule ${t} ${chain} goto ${draws}`];
}

/**
 * Draws one of n slots. The last rule is for a packet that read its n just before a change took the slot away: the first
 * slot is there whenever the service is.
 */
function drawLines(t: string, chain: string): readonly string[] {
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
  const [was, is] = [slotsOf(inRules(before)), slotsOf(inRules(service))];
  const [old, chain] = [chainOf(before), chainOf(service)];
  const key = `${service.address} . ${l4} . ${service.port}`;
  const slot = (i: number): string => `${service.address} . ${service.port} . ${i}`;
  const differs = (i: number): boolean => goal(was, i) !== goal(is, i);
  const gone = [...was.targets.keys()].filter(differs).map(slot);
  const come = [...is.targets.keys()].filter(differs).map((i) => `${slot(i)} : ${goal(is, i)}`);
  const [affine, affineNow] = [affineOf(before), affineOf(service)];
  const strangers = [...affine].filter(([key, to]) => affineNow.get(key) !== to).map(([key]) => key);
  const friends = [...affineNow]
    .filter(([key, to]) => affine.get(key) !== to)
    .map((pair) => pair.join(' : '));
  return [
    ...(old !== undefined && chain !== old ? [`delete element ${t} services { ${key} }`] : []),
    ...(chain !== undefined && chain !== old ? [`add element ${t} services { ${key} : goto ${chain} }`] : []),
    ...(old !== undefined && chain === undefined ? [`delete element ${t} counted { ${key} }`] : []),
    ...(old === undefined && chain !== undefined ? [`add element ${t} counted { ${key} }`] : []),
    ...(gone.length > 0 ? [`delete element ${t} ${l4}-targets { ${gone.join(', ')} }`] : []),
    ...(come.length > 0 ? [`add element ${t} ${l4}-targets { ${come.join(', ')} }`] : []),
    ...(strangers.length > 0 ? [`delete element ${t} ${l4}-affine { ${strangers.join(', ')} }`] : []),
    ...(friends.length > 0 ? [`add element ${t} ${l4}-affine { ${friends.join(', ')} }`] : []),
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
function chainOf(service: VipService): string | undefined {
  const { choice, targets } = slotsOf(inRules(service));
  if (targets.length === 0) return undefined;
  const first = affinityOf(service) === undefined ? '' : keeps;
  return `${service.protocol}-${first}${ways[choice]}of-${targets.length}`;
}

/** Where a connection of a service that keeps its clients may go, and the chain that notes it. */
function affineOf(service: VipService): ReadonlyMap<string, string> {
  const seconds = affinityOf(service);
  if (seconds === undefined) return new Map();
  const { address, port, backends } = service;
  return new Map(
    backends.map((to) => [
      `${address} . ${port} . ${to.address} . ${to.port}`,
      `jump ${remembers}${seconds}`,
    ]),
  );
}

function sizeOf(chain: string): number {
  return Number(chain.slice(chain.lastIndexOf('-') + 1));
}

function goal({ targets }: Slots, i: number): string | undefined {
  const target = targets[i];
  return target === undefined ? undefined : `${target.address} . ${target.port}`;
}
