import { WeirError } from '../../core/kit/errors.ts';
import { contains, formatIpv4, parseCidr4 } from '../../core/kit/ip.ts';

/** A lab that cannot be made, or a host it does not have. */
export class LabError extends WeirError {}

/** What a lab is made from. */
export type LabPlan = {
  /** 1 to 12 lower-case letters, digits and `-`; part of every namespace's name. */
  readonly name: string;
  /** Absolute. Everything the lab and its processes write lies below it, and goes with it. */
  readonly dir: string;
  readonly hosts: number;
  /** Underlay of the hosts; h1 has its first address. */
  readonly subnet: string;
};

export type LabHost = {
  /** `h1`, `h2`, … */
  readonly name: string;
  readonly address: string;
  /** Name of its network namespace, as `ip netns` shows it. */
  readonly netns: string;
  /** Folder for the data of the host's processes. */
  readonly dir: string;
  /** Its port on the bridge in the lab's own namespace. */
  readonly port: string;
};

export const defaultSubnet = '100.127.0.0/24';

/** @throws LabError when the plan cannot be carried out */
export function checkPlan(plan: LabPlan): void {
  const faults = [
    ...(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/.test(plan.name)
      ? []
      : [`name "${plan.name}" must be 1 to 12 lower-case letters, digits and "-"`]),
    ...(plan.dir.startsWith('/') ? [] : [`folder "${plan.dir}" must be absolute`]),
    ...(Number.isInteger(plan.hosts) && plan.hosts >= 1 && plan.hosts <= 64
      ? []
      : [`hosts ${plan.hosts} must be 1 to 64`]),
  ];
  const range = parseCidr4(plan.subnet);
  if (!contains(parseCidr4('100.64.0.0/10'), range.base) || range.prefix > 30)
    faults.push(`subnet ${plan.subnet} must be a range of 100.64.0.0/10 with at least two addresses`);
  else if (plan.hosts > 2 ** (32 - range.prefix) - 2) faults.push(`subnet ${plan.subnet} is too small`);
  if (faults.length > 0) throw new LabError('WEIR_LAB_PLAN', `Cannot make a lab: ${faults.join('; ')}`);
}

export function hostsOf(plan: LabPlan): readonly LabHost[] {
  const base = parseCidr4(plan.subnet).base;
  return Array.from({ length: plan.hosts }, (_, index) => ({
    name: `h${index + 1}`,
    address: formatIpv4(base + index + 1),
    netns: `weir-${plan.name}-h${index + 1}`,
    dir: `${plan.dir}/h${index + 1}`,
    port: `weirp${index + 1}`,
  }));
}

/** The namespace that holds the bridge. */
export function netNamespace(lab: string): string {
  return `weir-${lab}-net`;
}

/** Whether a namespace is one of this lab's (a host, the network between them, a host's container), and not of a lab whose name begins alike. */
export function isNamespaceOf(lab: string, netns: string): boolean {
  const prefix = `weir-${lab}-`;
  return netns.startsWith(prefix) && /^(net|h\d+(-[0-9a-f]{12})?)$/.test(netns.slice(prefix.length));
}

export function netnsPath(netns: string): string {
  return `/run/netns/${netns}`;
}
