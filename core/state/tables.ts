import type { Agent } from '../model/agent.ts';
import type { App } from '../model/app.ts';
import type { Certificate } from '../model/certificate.ts';
import type { Deployment } from '../model/deployment.ts';
import type { Group } from '../model/group.ts';
import type { AgentId, AppId, InstanceId, Version } from '../model/ids.ts';
import type { ContainerStatus, Instance } from '../model/instance.ts';
import type {
  Authority,
  AuthorityAccount,
  CertificateOrder,
  Challenge,
  Issuance,
} from '../model/issuance.ts';
import type { DeclaredListener } from '../model/listener-definition.ts';
import type { Lease, Network } from '../model/network.ts';
import type { Placement } from '../model/placement.ts';
import type { DeclaredRoute } from '../model/route-definition.ts';
import type { HostRecord } from './host-claims.ts';
import type { TableName } from './store.ts';

/** A route declared by an operator, as opposed to by labels. */
export type RouteRecord = DeclaredRoute;

/** A listener declared by an operator. */
export type ListenerRecord = DeclaredListener;

/** Written by the API: Edge-LB pools, and the templates that apps with labels make pools of (ingress.md A11). */
export type PoolRecord = {
  /** A template's key is `template:NAME`. */
  readonly kind: 'pool' | 'template';
  readonly name: string;
  /** As it was given, which a later version may read better. */
  readonly definition: unknown;
  /** What `bindPort: 0` became, by the frontend's name. */
  readonly ports: Readonly<Record<string, number>>;
  /** Text for HAProxy; kept and shown, never carried out. */
  readonly lbTemplate?: string;
};

/** A virtual address given to a name. Kept after release until the quarantine is over, so that it is never reused early. */
export type AddressRecord = {
  /** `weir/web.shop` or `l4lb/web.marathon`. */
  readonly name: string;
  readonly address: string;
  /** ms since the epoch; absent while in use. */
  readonly releasedAt?: number;
};

/** An agent that the operator wants empty: it gets no instances, and those it has move elsewhere. Written by the API. */
export type DrainRecord = {
  readonly agentId: AgentId;
  /** ms since the epoch. */
  readonly since: number;
};

/** What an operator set for the whole cluster while it runs; by name. Written by the API. */
export type SettingRecord =
  /** `off`: instances are ended for their health however many fail at once. */
  { readonly name: 'health-brake'; readonly mode: 'on' | 'off'; readonly since: number };

/** Launch delay of an app whose instances fail (Marathon §16.2). */
export type Backoff = {
  readonly appId: AppId;
  /** The configuration it counts for; another one starts afresh. */
  readonly configVersion: Version;
  readonly delayMs: number;
  /** ms since the epoch. */
  readonly until: number;
};

/** The last failure of an app (Marathon §3.1 lastTaskFailure). Times in ms since the epoch. */
export type TaskFailure = {
  readonly appId: AppId;
  readonly instanceId: InstanceId;
  readonly attempt: number;
  readonly agentId: string;
  readonly host: string;
  readonly state: 'TASK_FAILED' | 'TASK_KILLED' | 'TASK_LOST' | 'TASK_GONE' | 'TASK_ERROR';
  readonly message: string;
  readonly at: number;
  readonly version: Version;
  /** When it was ended for its health; absent if it never was healthy. */
  readonly turnedAt?: number;
  /** Of a pod. */
  readonly startedAt?: number;
  /** Of a pod: those that were started. */
  readonly containers?: readonly ContainerStatus[];
};

/** What one change of the root changed, as it was before: null for what was not there. Undoing newer ones gives an older root. */
export type RootRecord = {
  readonly version: Version;
  readonly apps: Readonly<Record<AppId, App | null>>;
  readonly groups: Readonly<Record<string, Group | null>>;
};

/** The value type of every table that is read back into memory. */
export type Tables = {
  apps: App;
  versions: App;
  groups: Group;
  roots: RootRecord;
  networks: Network;
  pools: PoolRecord;
  routes: RouteRecord;
  listeners: ListenerRecord;
  hosts: HostRecord;
  certificates: Certificate;
  authorities: Authority;
  accounts: AuthorityAccount;
  issuances: Issuance;
  orders: CertificateOrder;
  challenges: Challenge;
  deployments: Deployment;
  placements: Placement;
  addresses: AddressRecord;
  backoffs: Backoff;
  failures: TaskFailure;
  agents: Agent;
  drains: DrainRecord;
  settings: SettingRecord;
  instances: Instance;
  leases: Lease;
};

export type KnownTable = keyof Tables & TableName;

export const knownTables: readonly KnownTable[] = [
  'apps',
  'versions',
  'groups',
  'roots',
  'networks',
  'pools',
  'routes',
  'listeners',
  'hosts',
  'certificates',
  'authorities',
  'accounts',
  'issuances',
  'orders',
  'challenges',
  'deployments',
  'placements',
  'addresses',
  'backoffs',
  'failures',
  'agents',
  'drains',
  'settings',
  'instances',
  'leases',
];

export function versionKey(app: AppId, version: Version): string {
  return `${app}@${version}`;
}

export function leaseKey(network: string, agent: string): string {
  return `${network}@${agent}`;
}
