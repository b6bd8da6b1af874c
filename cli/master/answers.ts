/** What the CLI reads of the API's answers: Marathon's shapes below /v2 (marathon.md §3, §4, §7, §8), Weir's own below /v1. */

export type Id = { readonly id: string };

export type AppInfo = Id & {
  readonly cmd?: string;
  readonly args?: readonly string[];
  readonly instances: number;
  readonly cpus: number;
  /** MiB. */
  readonly mem: number;
  readonly disk: number;
  readonly env?: Readonly<Record<string, unknown>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly constraints?: readonly (readonly string[])[];
  readonly healthChecks?: readonly HealthCheckInfo[];
  readonly networks?: readonly { readonly mode: string; readonly name?: string }[];
  readonly container?: {
    readonly docker?: { readonly image: string };
    readonly portMappings?: readonly Port[];
  };
  readonly portDefinitions?: readonly Port[];
  readonly version: string;
  readonly tasksStaged?: number;
  readonly tasksRunning?: number;
  readonly tasksHealthy?: number;
  readonly tasksUnhealthy?: number;
  readonly deployments?: readonly Id[];
  readonly tasks?: readonly TaskInfo[];
  readonly lastTaskFailure?: FailureInfo;
};

export type HealthCheckInfo = {
  readonly protocol: string;
  readonly path?: string;
  readonly command?: { readonly value: string };
  readonly portIndex?: number;
  readonly port?: number;
  readonly intervalSeconds?: number;
};

export type Port = {
  readonly name?: string;
  readonly protocol?: string;
  readonly containerPort?: number;
  readonly hostPort?: number;
  readonly servicePort?: number;
  readonly port?: number;
  readonly labels?: Readonly<Record<string, string>>;
};

export type FailureInfo = {
  readonly host: string;
  readonly state: string;
  readonly message: string;
  readonly timestamp: string;
  readonly taskId: string;
};

export type TaskInfo = Id & {
  readonly appId: string;
  readonly host: string;
  readonly state: string;
  readonly ports?: readonly number[];
  readonly ipAddresses?: readonly { readonly ipAddress: string }[];
  readonly stagedAt?: string;
  readonly startedAt?: string;
  readonly version?: string;
  readonly healthCheckResults?: readonly { readonly alive: boolean; readonly lastFailureCause?: string }[];
};

export type DeploymentInfo = Id & {
  readonly version: string;
  readonly affectedApps: readonly string[];
  readonly affectedPods?: readonly string[];
  readonly steps: readonly { readonly actions: readonly DeploymentActionInfo[] }[];
  readonly currentActions: readonly DeploymentActionInfo[];
  /** From 1; 0 before the first. */
  readonly currentStep: number;
  readonly totalSteps: number;
};

/** On an app or a pod. */
export type DeploymentActionInfo = {
  readonly action: string;
  readonly app?: string;
  readonly pod?: string;
};

/** What a changing call answers; creating an app names the deployment in a list. */
export type Accepted = {
  readonly deploymentId?: string;
  readonly version?: string;
  readonly deployments?: readonly Id[];
};

/** Of an app or a pod. */
export type QueueItem = {
  readonly app?: Id;
  readonly pod?: Id;
  readonly count: number;
  readonly delay: { readonly timeLeftSeconds: number; readonly overdue: boolean };
  readonly processedOffersSummary?: {
    readonly rejectSummaryLastOffers?: readonly { readonly reason: string; readonly declined: number }[];
  };
  readonly refusals?: readonly Refusal[];
};

export type Refusal = { readonly agentId: string; readonly reason: string; readonly detail: string };

export type NodeInfo = Id & {
  readonly hostname: string;
  readonly address: string;
  readonly resources: { readonly cpus: number; readonly mem: number };
  readonly attributes?: Readonly<Record<string, string>>;
  readonly edge: boolean;
  readonly runtime: string;
  readonly consumers: readonly string[];
  readonly connected: boolean;
  /** ms since the epoch. */
  readonly lastHeard?: number;
  readonly instances: number;
  readonly acks: Readonly<Record<string, number>>;
  readonly revision: number;
};

export type RoutesAnswer = {
  readonly revision: number;
  readonly edges: number;
  readonly inForce: number;
  readonly routes: readonly RouteInfo[];
  readonly faults?: readonly RouteFaultInfo[];
};

export type CertificateInfo = {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly default: boolean;
  readonly subject?: string;
  readonly issuer?: string;
  readonly serialNumber: string;
  readonly fingerprint256: string;
  readonly keyType: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly daysLeft: number;
  readonly warning?: string;
  readonly issuance?: IssuanceInfo;
};

/** A certificate that an authority issues and renews. */
export type IssuanceInfo = {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly challenge: string;
  readonly authority: string;
  /** `waiting`, `preflight`, `ordering`, `validating`, `finalizing`, `issued` or `failed`. */
  readonly state: string;
  readonly issuedAt?: string;
  readonly issuedUntil?: string;
  readonly renewsAt?: string;
  readonly failures: number;
  readonly lastFailure?: { readonly at: string; readonly code: string; readonly reason: string };
  readonly nextTryAt?: string;
};

export type AuthorityInfo = {
  readonly name: string;
  readonly directory: string;
  readonly contact?: string;
  readonly account?: string;
};

type InForce = Pick<RoutesAnswer, 'revision' | 'edges' | 'inForce'>;

export type CertificatesAnswer = InForce & {
  readonly certificates: readonly CertificateInfo[];
  /** Wanted, but never issued yet; absent from masters of before. */
  readonly pending?: readonly IssuanceInfo[];
};

/** Of one that was never issued there is little to say. */
export type CertificateAnswer = InForce &
  Partial<CertificateInfo> &
  Pick<CertificateInfo, 'name' | 'hosts' | 'default'>;

export type RouteAnswer = Omit<RoutesAnswer, 'routes'> & {
  readonly definition?: object;
  readonly route?: Omit<RouteInfo, 'endpoints'>;
  readonly endpoints?: readonly {
    readonly instanceId: string;
    readonly agentId: string;
    readonly addresses: readonly string[];
  }[];
  readonly faults: readonly RouteFaultInfo[];
};

export type ListenerInfo = Id & {
  readonly owner: string;
  readonly address?: string;
  readonly port: number;
  readonly protocol: string;
  readonly routes: number;
  readonly state: string;
  readonly edges: readonly ListenerOnEdgeInfo[];
};

export type ListenerOnEdgeInfo = {
  readonly edge: string;
  readonly state: string;
  readonly at?: string;
  readonly problem?: string;
  readonly kernel?: { readonly masquerades: readonly string[]; readonly except?: string };
  readonly because?: string;
};

export type ListenersAnswer = InForce & {
  readonly listeners: readonly ListenerInfo[];
  readonly faults: readonly { readonly listener: string; readonly effect: string; readonly reason: string }[];
};

export type ListenerAnswer = Omit<ListenersAnswer, 'listeners'> & {
  readonly definition?: Readonly<Record<string, unknown>>;
  readonly listener?: ListenerInfo;
};

export type RouteWhyAnswer = {
  readonly url: string;
  readonly edges: readonly { readonly edge: string; readonly links: readonly RouteLinkInfo[] }[];
};

/** `ok: false`: here it ends, and `next` is what to do. */
export type RouteLinkInfo = {
  readonly link: string;
  readonly ok: boolean;
  readonly says: string;
  readonly next?: string;
};

export type RouteFaultInfo = {
  readonly app?: string;
  readonly route?: string;
  readonly label?: string;
  readonly effect: string;
  readonly reason: string;
};

export type RouteInfo = Id & {
  readonly host: string;
  readonly pathPrefix: string;
  readonly pathKind?: string;
  readonly conditions?: object;
  readonly service: { readonly appId: string; readonly portIndex: number };
  readonly owner: string;
  readonly endpoints: number;
};

export type NetworkInfo = {
  readonly name: string;
  readonly cidr: string;
  readonly agentPrefix: number;
  readonly backend: string;
  readonly egress: string;
  readonly leases?: readonly { readonly agentId: string; readonly subnet: string }[];
};

export type DnsAnswer = { readonly node: string; readonly answer: NameExplanation };

export type QueriesAnswer = {
  readonly node: string;
  readonly answer: { readonly queries: readonly LoggedQuery[]; readonly clients: readonly ClientCount[] };
};

export type LoggedQuery = {
  readonly at: number;
  readonly client: string;
  readonly transport: string;
  readonly name: string;
  readonly type: string;
  readonly rcode: string;
  readonly standsFor: number;
};

export type ClientCount = { readonly client: string; readonly queries: number; readonly failures: number };

export type NameExplanation = {
  readonly reply: { readonly rcode: string; readonly answers: readonly NameRecord[] };
  readonly revision: number;
  readonly zone?: string;
  readonly aliasOf?: string;
  readonly because: string;
  readonly records: readonly (NameRecord & { readonly rule: string })[];
  readonly used: readonly NamedInstance[];
  readonly leftOut: readonly (NamedInstance & { readonly reason: string })[];
};

export type NameRecord = {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly data: string;
};

export type NamedInstance = {
  readonly instanceId: string;
  readonly appId: string;
  readonly at: readonly string[];
};

export type LogAnswer = { readonly lines: readonly LogLine[]; readonly over?: true };
export type LogLine = { readonly stream: 'stdout' | 'stderr'; readonly text: string };

export type VipInfo = {
  readonly vip: string;
  readonly protocol: string;
  readonly backend: readonly VipBackendInfo[];
  readonly address: string;
  readonly port: number;
  readonly names: readonly string[];
  readonly apps: readonly string[];
  readonly balance: string;
  readonly affinitySeconds?: number;
};

export type VipBackendInfo = {
  readonly ip: string;
  readonly port: number;
  readonly weight: number;
  readonly instance: string;
  readonly node: string;
  readonly because?: string;
};

export type VipFault = {
  readonly app: string;
  readonly key: string;
  readonly value: string;
  readonly reason: string;
};

export type VipAnswer = {
  readonly revision: number;
  readonly vips: readonly VipInfo[];
  readonly faults: readonly VipFault[];
  readonly nodes: readonly VipNodeInfo[];
};

export type VipNodeInfo = {
  readonly node: string;
  readonly revision: number;
  readonly problem?: string;
  readonly status?: {
    readonly backend: string;
    readonly drift?: readonly { readonly what: string }[];
    readonly audited?: { readonly agoMs: number; readonly tookMs: number };
    readonly services: readonly {
      readonly key: string;
      readonly connections: number;
      readonly open: Readonly<Record<string, number>>;
      readonly ejected?: readonly string[];
      readonly problem?: string;
      readonly balance?: string;
      readonly chosenBy?: string;
    }[];
  };
};

/** Status of a pod (marathon.md §19.3). */
export type PodInfo = Id & {
  readonly status: string;
  readonly spec: {
    readonly version: string;
    readonly containers: readonly PodContainerInfo[];
    readonly volumes?: readonly { readonly name: string; readonly host?: string }[];
    readonly networks?: readonly { readonly mode: string; readonly name?: string }[];
    readonly scaling: { readonly instances: number };
  };
  readonly instances: readonly PodInstanceInfo[];
  readonly terminationHistory: readonly { readonly terminatedAt: string; readonly message: string }[];
};

export type PodContainerInfo = {
  readonly name: string;
  readonly image?: Id;
  readonly resources: { readonly cpus: number; readonly mem: number };
  readonly endpoints?: readonly { readonly name: string; readonly containerPort?: number }[];
};

export type PodInstanceInfo = Id & {
  readonly status: string;
  readonly statusSince: string;
  readonly message?: string;
  readonly agentHostname?: string;
  readonly networks: readonly { readonly addresses: readonly string[] }[];
  readonly containers: readonly {
    readonly name: string;
    readonly status: string;
    readonly conditions?: readonly { readonly name: string; readonly value: string }[];
  }[];
};

export type PoolNoteInfo = { readonly path: string; readonly error: string };

export type PoolFrontendInfo = {
  readonly name: string;
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly state: string;
};

type PoolState = {
  readonly frontends: readonly PoolFrontendInfo[];
  readonly backends: readonly {
    readonly name: string;
    readonly servers: readonly { readonly name: string; readonly instanceId: string }[];
  }[];
  readonly notes: readonly PoolNoteInfo[];
};

type EdgesInForce = { readonly revision: number; readonly edges: number; readonly inForce: number };

export type StoredPool = { readonly name: string; readonly notes: readonly PoolNoteInfo[] };
export type PoolsAnswer = EdgesInForce & {
  readonly pools: readonly (PoolState & { readonly name: string })[];
};
export type PoolAnswer = EdgesInForce & PoolState & { readonly pool: unknown; readonly config: string };

export type PoolMetadata = {
  readonly frontends: readonly {
    readonly name: string;
    readonly endpoints: readonly {
      readonly port: number;
      readonly private: readonly string[];
      readonly public: readonly string[];
    }[];
  }[];
};

export type AutoTemplate = { readonly name: string };
export type AutoTemplateStatus = { readonly name: string; readonly status: string; readonly message: string };
/** `note`: what does not come of it. */
export type TextTemplate = { readonly text: string; readonly note: string };
