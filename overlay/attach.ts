import type { Cni } from '../cni/cni.ts';
import { networkOf } from '../cni/config/network.ts';
import type { JsonObject } from '../cni/json.ts';
import type { CniResult } from '../cni/result/result.ts';
import { errorCode } from '../core/kit/errors.ts';
import { parseCidr4 } from '../core/kit/ip.ts';
import type { AttachmentKey, CniAttaching, DirectAttaching } from './backend.ts';
import { configList } from './conflist.ts';
import { NetworkNotReady } from './errors.ts';
import type { NetworkState } from './network-state.ts';

export type AttachRequest = AttachmentKey & {
  readonly network: string;
  /** Path of the container's network namespace; empty for an instance that shares the host's. */
  readonly netns: string;
  /** CNI `runtimeConfig` by capability, for example `portMappings`. */
  readonly capabilityArgs?: JsonObject;
  /** Takes the container's default route; by default `eth0` does. */
  readonly defaultRoute?: boolean;
};

/** One end of a network in one instance, as it is in force. */
export type Attached = AttachmentKey & {
  readonly network: string;
  /** Without prefix. */
  readonly ip: string;
  /** Length of the prefix of the interface's own subnet. */
  readonly prefix: number;
  readonly gateway?: string;
  /** Bytes. */
  readonly mtu: number;
  /** As the CNI result lists them; empty for an instance that shares the host's network stack. */
  readonly interfaces: CniResult['interfaces'];
  readonly dns: CniResult['dns'];
};

export type ReadyState = NetworkState & { readonly kind: 'ready' };

export async function attachDirectly(
  attaching: DirectAttaching,
  { network, lease, gateway, mtu }: ReadyState,
  { instanceId, ifName }: AttachRequest,
): Promise<Attached> {
  const ip = await attaching.attach({ network, lease }, { instanceId, ifName });
  const { prefix } = parseCidr4(lease.subnet);
  return { instanceId, ifName, network: network.name, ip, prefix, gateway, mtu, interfaces: [], dns: {} };
}

/** Repeating it for the same namespace gives what is there; for another one the old attachment is taken down first. */
export async function attachByCni(
  cni: Cni,
  attaching: CniAttaching,
  { state, request, signal }: { state: ReadyState; request: AttachRequest; signal?: AbortSignal | undefined },
): Promise<Attached> {
  const list = networkOf(listOf(attaching, state, request));
  const { instanceId, ifName, netns, capabilityArgs } = request;
  const attachment = {
    containerId: instanceId,
    ifName,
    netns,
    ...(capabilityArgs === undefined ? {} : { capabilityArgs }),
  };
  const options = signal === undefined ? {} : { signal };
  try {
    return attachedOf(await cni.add(list, attachment, options), state, request);
  } catch (error) {
    if (errorCode(error) !== 'WEIR_CNI_ATTACHED') throw error;
  }
  const present = await presentResult(cni, request);
  if (present !== undefined) return attachedOf(present, state, request);
  await cni.del(list, attachment);
  return attachedOf(await cni.add(list, attachment, options), state, request);
}

function listOf(attaching: CniAttaching, state: ReadyState, request: AttachRequest): JsonObject {
  const { network, lease, mtu } = state;
  const share = { network, lease };
  const defaultRoute = request.defaultRoute ?? request.ifName === 'eth0';
  const own = attaching.pluginConfig(share, { defaultRoute, mtu });
  const mappings = request.capabilityArgs?.portMappings;
  const hostPorts = Array.isArray(mappings) && mappings.length > 0;
  return configList(share, { own, hostPorts });
}

async function presentResult(cni: Cni, { instanceId, ifName, network, netns }: AttachRequest) {
  const records = await cni.attachments();
  return records.find(
    ({ attachment, network: list }) =>
      list.name === network &&
      attachment.containerId === instanceId &&
      attachment.ifName === ifName &&
      attachment.netns === netns,
  )?.result;
}

function attachedOf(
  { ips, interfaces, dns }: CniResult,
  { network, mtu }: ReadyState,
  request: AttachRequest,
): Attached {
  const [first] = ips;
  const [ip = '', prefix] = first?.address.split('/') ?? [];
  if (first === undefined)
    throw new NetworkNotReady(network.name, `its plugins gave ${request.instanceId} no address`);
  const { instanceId, ifName } = request;
  const gateway = first.gateway === undefined ? {} : { gateway: first.gateway };
  return {
    instanceId,
    ifName,
    network: network.name,
    ip,
    prefix: Number(prefix),
    ...gateway,
    mtu,
    interfaces,
    dns,
  };
}
