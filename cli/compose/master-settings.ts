import type { BasicAuthentication } from '../../api/credentials.ts';
import type { LogThreshold } from '../../core/kit/log.ts';
import type { Network } from '../../core/model/network.ts';
import type { LabelSettings } from '../../core/state/label-settings.ts';
import type { PlacementRules } from '../../scheduler/placement-rules.ts';
import type { Address } from './agent-settings.ts';

export type MasterSettings = {
  readonly api: Address;
  /** Where the other masters and clients reach the API; absent: at the address it listens on. */
  readonly advertise?: Address;
  /** Absent: the API is open to everyone who reaches it. */
  readonly authentication?: BasicAuthentication;
  /** What edges prove themselves with; absent: that of the store. */
  readonly joinSecret?: string;
  /** Requests at once; absent: any number. */
  readonly mostRequests?: number;
  readonly dataDir: string;
  /** `redis://…` or `consul://HOST:PORT`, shared by masters of which one leads; absent: SQLite in the data folder. */
  readonly store?: string;
  /** Another master leads from now on, or may: this process must not write any more. */
  readonly onLeadershipLost: () => void;
  /** IPv4 range that virtual addresses are taken from. */
  readonly vipRange: string;
  readonly vipRange6?: string;
  /** Of the network that every installation has. */
  readonly network: Pick<Network, 'cidr' | 'backend' | 'mtu'>;
  readonly drainLimitMs: number;
  readonly agentLostMs: number;
  /** Shared with the log, so that it can be changed at run time. */
  readonly logThreshold: LogThreshold;
  /** Origins whose pages may read the API. */
  readonly allowOrigins: readonly string[];
  /** So many deployments may be on their way at once. */
  readonly mostDeployments: number;
  readonly launchTimeoutMs: number;
  readonly placement: PlacementRules;
  readonly labels: LabelSettings;
  /** Off only to prove that tests notice. */
  readonly waitForAcks: boolean;
};

/** The address others know this master by. */
export function knownAt({ api, advertise }: MasterSettings): Address {
  return advertise ?? api;
}
