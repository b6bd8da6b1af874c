import { VipApplyFailed } from '../../errors.ts';
import { type Family, familyWords } from './family.ts';
import type { HostExec } from './host.ts';

/**
 * A process connects only to what has a route, and gets its source address from it, before any translation. So VIPs are
 * routed to a device of their own that leads nowhere: a VIP never becomes a source address (it is not a local one), and
 * a packet that no rule took ends there. The device is a bridge without ports, because every kernel that runs containers
 * has bridges; the loopback device would not do, since the kernel sends no ICMP for a route through it. Behind each route
 * stands an `unreachable` one: if the device is taken away by hand, a VIP still never leaves by the default route.
 */
export type VipRoutes = {
  readonly exec: HostExec;
  readonly family: Family;
  /** Name of the device, at most 15 characters. */
  readonly device: string;
  /** Bytes; keeps UDP datagrams of this host's processes small enough for an overlay behind the VIP. */
  readonly mtu: number;
};

/** Marks our fallback routes in the kernel, and puts them behind every other route of the prefix. */
const fallback = 'metric 4278198272 proto 88';

/** Makes sure of the device and makes its routes exactly `prefixes` (a.b.c.d/n, or an address alone). */
export async function setRoutes(routes: VipRoutes, prefixes: ReadonlySet<string>): Promise<void> {
  const { device, mtu } = routes;
  if (!(await hasDevice(routes)))
    await ip(routes, ['link', 'add', device, 'mtu', `${mtu}`, 'type', 'bridge']);
  await ip(routes, ['link', 'set', device, 'mtu', `${mtu}`, 'addrgenmode', 'none', 'up']);
  const { routed, backed } = await differences(routes, prefixes);
  await batch(routes, [
    ...backed.gained.map((prefix) => `route replace unreachable ${prefix} ${fallback}`),
    ...routed.gained.map((prefix) => `route replace ${prefix} dev ${device}`),
    ...routed.lost.map((prefix) => `route del ${prefix} dev ${device}`),
    ...backed.lost.map((prefix) => `route del unreachable ${prefix} ${fallback}`),
  ]);
}

/** What of the device and its routes is not as `setRoutes` left it. */
export async function routeDrift(
  routes: VipRoutes,
  prefixes: ReadonlySet<string>,
): Promise<readonly string[]> {
  const { device } = routes;
  const { routed, backed } = await differences(routes, prefixes);
  return [
    ...((await hasDevice(routes)) ? [] : [`the device ${device} is missing`]),
    ...routed.gained.map((prefix) => `the route to ${prefix} is missing`),
    ...routed.lost.map((prefix) => `the route to ${prefix} by ${device} is not ours`),
    ...backed.gained.map((prefix) => `the fallback route to ${prefix} is missing`),
    ...backed.lost.map((prefix) => `the fallback route to ${prefix} is not ours`),
  ];
}

/** Of the routes by the device and of those behind them: what must come, and what must go. */
async function differences(routes: VipRoutes, prefixes: ReadonlySet<string>) {
  const wanted = new Set([...prefixes].map((prefix) => bare(routes, prefix)));
  const between = (present: ReadonlySet<string>) => ({
    gained: [...wanted.difference(present)],
    lost: [...present.difference(wanted)],
  });
  return {
    routed: between((await hasDevice(routes)) ? await listed(routes, ['dev', routes.device]) : new Set()),
    backed: between(await listed(routes, ['type', 'unreachable', 'proto', '88'])),
  };
}

async function listed(routes: VipRoutes, which: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = destinations(await ip(routes, [flag(routes), '-json', 'route', 'show', ...which]));
  // Link-local addresses come with every device.
  return new Set(
    rows
      .filter((row) => !row.startsWith('fe80:') && !row.startsWith('ff00:'))
      .map((row) => bare(routes, row)),
  );
}

export async function changeRoutes(
  routes: VipRoutes,
  change: { readonly gained: readonly string[]; readonly lost: readonly string[] },
): Promise<void> {
  await batch(routes, [
    ...change.gained.flatMap((prefix) => [
      `route replace unreachable ${prefix} ${fallback}`,
      `route replace ${prefix} dev ${routes.device}`,
    ]),
    ...change.lost.flatMap((prefix) => [
      `route del ${prefix} dev ${routes.device}`,
      `route del unreachable ${prefix} ${fallback}`,
    ]),
  ]);
}

async function batch(routes: VipRoutes, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await ip(routes, [flag(routes), '-batch', '-'], `${lines.join('\n')}\n`);
}

/** The routes go with their device, the fallbacks by their mark. */
export async function removeRoutes(routes: VipRoutes): Promise<void> {
  await ip(routes, [flag(routes), 'route', 'flush', 'type', 'unreachable', 'proto', '88']);
  if (await hasDevice(routes)) await ip(routes, ['link', 'del', routes.device]);
}

async function hasDevice(routes: VipRoutes): Promise<boolean> {
  return (await routes.exec('ip', ['link', 'show', 'dev', routes.device])).exitCode === 0;
}

async function ip(routes: VipRoutes, args: readonly string[], input?: string): Promise<string> {
  const result = await routes.exec('ip', args, input);
  if (result.exitCode === 0) return result.stdout;
  throw new VipApplyFailed('routes', result.stderr.trim() || `ip ended with ${result.exitCode}`);
}

function destinations(json: string): readonly string[] {
  const rows: unknown = JSON.parse(json || '[]');
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((row) => (typeof row?.dst === 'string' ? [row.dst] : []));
}

function bare({ family }: VipRoutes, prefix: string): string {
  const whole = `/${familyWords(family).bits}`;
  return prefix.endsWith(whole) ? prefix.slice(0, -whole.length) : prefix;
}

function flag({ family }: VipRoutes): string {
  return familyWords(family).flag;
}
