/** How a VIP chooses among its backends. What a backend of ours cannot do it does at random, and says so. */
export type VipBalance = (typeof vipBalances)[number];

/**
 * `random`: each connection anew. `source-hash`: by the client's address, so a client stays with its backend while that is
 * there. `maglev`: by the client's address and port, the same on every node. `least-connections`: fewest open from this node.
 */
export const vipBalances = ['random', 'source-hash', 'maglev', 'least-connections'] as const;

export type VipPolicy = {
  readonly balance?: VipBalance;
  /** Share of new connections beside the other apps of the VIP, 0 to 100; 0 takes none. Default 1. */
  readonly weight?: number;
};

export type PolicyFault = { readonly key: string; readonly value: string; readonly reason: string };

export const balanceLabel = 'WEIR_VIP_BALANCE';
export const weightLabel = 'WEIR_VIP_WEIGHT';

/** What labels say beside declaring VIPs; their keys do not begin with VIP, so an older reader takes them for none (vip.md §17.7). */
export function vipPolicy(labels: Readonly<Record<string, string>>): {
  readonly policy: VipPolicy;
  readonly faults: readonly PolicyFault[];
} {
  const faults: PolicyFault[] = [];
  const read = <T>(key: string, parse: (text: string) => T | undefined, reason: string): T | undefined => {
    const value = labels[key];
    if (value === undefined) return undefined;
    const parsed = parse(value);
    if (parsed === undefined) faults.push({ key, value, reason });
    return parsed;
  };
  const balance = read(
    balanceLabel,
    (text) => vipBalances.find((name) => name === text),
    `it must be one of ${vipBalances.join(', ')}`,
  );
  const weight = read(weightLabel, weightOf, 'it must be a whole number from 0 to 100');
  return {
    policy: { ...(balance === undefined ? {} : { balance }), ...(weight === undefined ? {} : { weight }) },
    faults,
  };
}

function weightOf(text: string): number | undefined {
  return /^\d{1,3}$/.test(text) && Number(text) <= 100 ? Number(text) : undefined;
}
