import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { domainFrag } from './name.ts';

/** What a VIP label asks for. `label` is normalised (vip.md section 3), so `/foo:80` and `foo:80` are the same VIP. */
export type VipTarget =
  | { readonly kind: 'address'; readonly address: string; readonly port: number }
  | { readonly kind: 'name'; readonly label: string; readonly port: number };

/** A label that declares nothing; the app is otherwise unaffected. `reason` completes "<value> is no VIP: …". */
export type VipLabelFault = { readonly key: string; readonly value: string; readonly reason: string };

export type VipLabels = { readonly targets: readonly VipTarget[]; readonly faults: readonly VipLabelFault[] };

/** A legacy app label `vip_PORT<n>` = `tcp://host:port`; it brings its own protocol and names a port by index. */
export type LegacyVip = {
  readonly key: string;
  readonly value: string;
  readonly portIndex: number;
  readonly protocol: 'tcp' | 'udp';
  readonly target: VipTarget;
};

export type LegacyVipLabels = {
  readonly vips: readonly LegacyVip[];
  readonly faults: readonly VipLabelFault[];
};

type Parsed = { readonly target: VipTarget } | { readonly reason: string };

/** The VIPs that the labels of one port declare: every key that begins with `VIP` or `vip` (vip.md section 2). */
export function vipLabels(labels: Readonly<Record<string, string>>): VipLabels {
  const targets = new Map<string, VipTarget>();
  const faults: VipLabelFault[] = [];
  for (const [key, value] of Object.entries(labels)) {
    if (!key.startsWith('VIP') && !key.startsWith('vip')) continue;
    const parsed = parseVipTarget(value);
    if ('reason' in parsed) faults.push({ key, value, reason: parsed.reason });
    else targets.set(JSON.stringify(parsed.target), parsed.target);
  }
  return { targets: [...targets.values()], faults };
}

/** The VIPs that the labels of an app declare in the legacy form. */
export function legacyVipLabels(labels: Readonly<Record<string, string>>): LegacyVipLabels {
  const vips: LegacyVip[] = [];
  const faults: VipLabelFault[] = [];
  for (const [key, value] of Object.entries(labels)) {
    const index = /^vip_port(\d{1,5})$/i.exec(key)?.[1];
    if (index === undefined) continue;
    const [, protocol = '', rest = ''] = /^([^:]*):\/\/(.*)$/s.exec(value) ?? [];
    const parsed =
      protocol === 'tcp' || protocol === 'udp'
        ? parseVipTarget(rest)
        : { reason: 'it must begin with tcp:// or udp://' };
    if ('reason' in parsed) faults.push({ key, value, reason: parsed.reason });
    else
      vips.push({
        key,
        value,
        portIndex: Number(index),
        protocol: protocol === 'udp' ? 'udp' : 'tcp',
        target: parsed.target,
      });
  }
  return { vips, faults };
}

/** `host:port`, split at the last colon, so that an IPv6 address needs no brackets (but may have them). */
export function parseVipTarget(value: string): Parsed {
  const colon = value.lastIndexOf(':');
  if (colon === -1) return { reason: 'it has no port (want name:port or address:port)' };
  const port = portOf(value.slice(colon + 1));
  if (port === undefined) return { reason: 'its port must be a number from 1 to 65535' };
  const host = value.slice(0, colon);
  const address = literal(host);
  if (address !== undefined) return { target: { kind: 'address', address, port } };
  const label = domainFrag(host);
  if (label === '') return { reason: 'its name has no letter or digit' };
  return { target: { kind: 'name', label, port } };
}

/** The name of a named VIP without its zone: what is hashed for an address, and what DNS answers to below `l4lb`. */
export function vipName(label: string, framework = 'marathon'): string {
  return [domainFrag(label), domainFrag(framework)].filter((part) => part !== '').join('.');
}

/** `Vip.key`: `<proto>:<name or address>:<port>`; `tcp6` and `udp6` for the IPv6 address of a name. */
export function vipKey(
  protocol: 'tcp' | 'udp' | 'tcp6' | 'udp6',
  nameOrAddress: string,
  port: number,
): string {
  return `${protocol}:${nameOrAddress}:${port}`;
}

function portOf(text: string): number | undefined {
  const port = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** The canonical form of an address literal, or undefined when the text is a name. */
function literal(host: string): string | undefined {
  if (isIPv4(host)) return host;
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  return isIPv6(bare) && !bare.includes('%') ? ipaddr.IPv6.parse(bare).toRFC5952String() : undefined;
}
