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
  /** A client's new connections go where its last one went, until so long has passed without any, s; 1 to 86,400. */
  readonly affinitySeconds?: number;
};

export type PolicyFault = { readonly key: string; readonly value: string; readonly reason: string };

export const balanceLabel = 'WEIR_VIP_BALANCE';
export const weightLabel = 'WEIR_VIP_WEIGHT';
export const affinityLabel = 'WEIR_VIP_AFFINITY';
/** A day, as in Kubernetes (`timeoutSeconds`). */
const longestAffinity = 86_400;

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
  const affinitySeconds = read(
    affinityLabel,
    affinityOf,
    'it must be a whole number of seconds from 1 to 86400',
  );
  return {
    policy: {
      ...(balance === undefined ? {} : { balance }),
      ...(weight === undefined ? {} : { weight }),
      ...(affinitySeconds === undefined ? {} : { affinitySeconds }),
    },
    faults,
  };
}

function affinityOf(text: string): number | undefined {
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return seconds >= 1 && seconds <= longestAffinity ? seconds : undefined;
}

function weightOf(text: string): number | undefined {
  return /^\d{1,3}$/.test(text) && Number(text) <= 100 ? Number(text) : undefined;
}
