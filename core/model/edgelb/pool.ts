/** An Edge-LB pool (V2, ingress.md A2) with its defaults: the names are those of its JSON. */
export type Pool = {
  readonly apiVersion: 'V2';
  readonly name: string;
  readonly namespace: string;
  readonly packageName: string;
  readonly packageVersion?: string;
  readonly role: string;
  readonly cpus: number;
  readonly cpusAdminOverhead: number;
  /** MB. */
  readonly mem: number;
  readonly memAdminOverhead: number;
  readonly disk: number;
  readonly count: number | null;
  readonly constraints: string;
  readonly ports: readonly number[];
  readonly secrets: readonly PoolSecret[];
  readonly environmentVariables: Readonly<Record<string, string>>;
  readonly autoCertificate: boolean;
  readonly virtualNetworks: readonly PoolNetwork[];
  readonly haproxy: PoolProxy;
  readonly poolHealthcheckGracePeriod: number;
  readonly poolHealthcheckInterval: number;
  readonly poolHealthcheckMaxFail: number;
  readonly poolHealthcheckTimeout?: number;
  /** As its documentation spells it. */
  readonly poolhealthcheckTimeout?: number;
};

export type PoolSecret = { readonly secret: string; readonly file: string };
export type PoolNetwork = { readonly name: string; readonly labels: Readonly<Record<string, string>> };

export type PoolProxy = {
  readonly stats: { readonly bindAddress: string; readonly bindPort: number };
  readonly frontends: readonly Frontend[];
  readonly backends: readonly PoolBackend[];
};

export type PoolProtocol = 'HTTP' | 'HTTPS' | 'TCP' | 'TLS';

export type Frontend = {
  readonly name: string;
  readonly bindAddress: string;
  /** 0: any, published in the metadata. */
  readonly bindPort: number;
  readonly bindModifier: string;
  readonly certificates: readonly string[];
  readonly redirectToHttps?: { readonly except: readonly RedirectException[] };
  readonly miscStrs: readonly string[];
  readonly protocol: PoolProtocol;
  readonly linkBackend: { readonly defaultBackend: string; readonly map: readonly LinkRule[] };
};

export type RedirectException = { readonly host?: string; readonly pathBeg?: string };

/** All that is given must hold. */
export type LinkRule = {
  readonly backend: string;
  readonly hostEq?: string;
  readonly hostReg?: string;
  readonly pathBeg?: string;
  readonly pathEnd?: string;
  readonly pathReg?: string;
};

export type PoolBackend = {
  readonly name: string;
  readonly protocol: PoolProtocol;
  readonly balance: string;
  readonly rewriteHttp?: RewriteHttp;
  readonly customCheck?: CustomCheck;
  readonly miscStrs: readonly string[];
  readonly services: readonly PoolService[];
};

export type RewriteHttp = {
  readonly host?: string;
  readonly path?: { readonly fromPath?: string; readonly toPath?: string };
  readonly request: {
    readonly forwardfor: boolean;
    readonly xForwardedPort: boolean;
    readonly xForwardedProtoHttpsIfTls: boolean;
    readonly setHostHeader: boolean;
    readonly rewritePath: boolean;
  };
  readonly response: { readonly rewriteLocation: boolean };
  readonly sticky?: { readonly enabled: boolean; readonly customStr: string };
};

export type CustomCheck = {
  readonly httpchk: boolean;
  readonly httpchkMiscStr: string;
  readonly sslHelloChk: boolean;
  readonly miscStr: string;
};

export type PoolService = {
  readonly marathon?: MarathonSelector;
  readonly mesos?: MesosSelector;
  readonly endpoint: PoolEndpointChoice;
};

export type MarathonSelector = {
  readonly serviceID?: string;
  readonly serviceIDPattern?: string;
  readonly containerName?: string;
  readonly containerNamePattern?: string;
};

export type MesosSelector = {
  readonly frameworkName?: string;
  readonly frameworkNamePattern?: string;
  readonly frameworkID?: string;
  readonly frameworkIDPattern?: string;
  readonly taskName?: string;
  readonly taskNamePattern?: string;
  readonly taskID?: string;
  readonly taskIDPattern?: string;
};

export type PoolEndpointChoice = {
  readonly type: 'AUTO_IP' | 'AGENT_IP' | 'CONTAINER_IP' | 'ADDRESS';
  /** -1: not chosen by number. */
  readonly port: number;
  readonly portName: string;
  readonly allPorts: boolean;
  /** Of ADDRESS only. */
  readonly address?: string;
  readonly check: { readonly enabled: boolean; readonly customStr: string };
  readonly miscStr: string;
};
