/** The result of an ADD in memory: the shape of version 1.1, whatever version the plugin spoke. */
export type CniResult = {
  readonly interfaces: readonly CniInterface[];
  readonly ips: readonly CniIp[];
  readonly routes: readonly CniRoute[];
  readonly dns: CniDns;
};

export type CniInterface = {
  readonly name: string;
  readonly mac?: string;
  /** Bytes. */
  readonly mtu?: number;
  /** Path of the network namespace; absent for an interface of the host. */
  readonly sandbox?: string;
  readonly socketPath?: string;
  readonly pciID?: string;
};

export type CniIp = {
  /** Address and prefix length, `10.1.0.5/16`. */
  readonly address: string;
  readonly gateway?: string;
  /** Index into `interfaces`. */
  readonly interface?: number;
};

export type CniRoute = {
  /** Destination as address and prefix length. */
  readonly dst: string;
  /** Absent: the gateway of an address of the same family. */
  readonly gw?: string;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly priority?: number;
  readonly table?: number;
  /** 0 global, 253 link, 254 host. */
  readonly scope?: number;
};

export type CniDns = {
  readonly nameservers?: readonly string[];
  readonly domain?: string;
  readonly search?: readonly string[];
  readonly options?: readonly string[];
};

export const EMPTY_RESULT: CniResult = { interfaces: [], ips: [], routes: [], dns: {} };
