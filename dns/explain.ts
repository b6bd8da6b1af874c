import type { Endpoint, Vip } from '../core/model/directory.ts';
import { stateOf, vipState } from '../core/model/vip-backends.ts';
import { type PlainRecord, type PlainReply, plainRecord } from './plain-reply.ts';
import type { SourceKey } from './record-source.ts';
import type { Name, ResourceRecord } from './wire/types.ts';
import type { Zone } from './zone.ts';

/** Why an answer is what it is. */
export type Explanation = {
  readonly reply: PlainReply;
  /** Directory revision in force. */
  readonly revision: number;
  /** Our zone that the name is in; absent: not ours. */
  readonly zone?: Name;
  /** The name the question was renamed to, when it is an alias. */
  readonly aliasOf?: Name;
  /** One sentence. */
  readonly because: string;
  /** Every record of the name, of the type or not, with what made it. */
  readonly records: readonly ExplainedRecord[];
  /** Instances that the answer leads to, through a VIP or directly. */
  readonly used: readonly ExplainedInstance[];
  /** Running instances that it would lead to as well, and why it does not. */
  readonly leftOut: readonly (ExplainedInstance & { readonly reason: string })[];
};

export type ExplainedRecord = PlainRecord & {
  /** `name of a VIP`, `Mesos-DNS task name`, … */
  readonly rule: string;
  /** `vip:tcp:web.weir:80`, `endpoint:web.instance-…`, `agent:…`, `masters`, `zones`. */
  readonly source: SourceKey;
};

export type ExplainedInstance = {
  readonly instanceId: string;
  readonly appId: string;
  readonly agentId: string;
  /** Where it is reached: `address:port` behind a VIP, else its addresses. */
  readonly at: readonly string[];
};

export type Explained = {
  readonly asked: Name;
  /** After aliases. */
  readonly name: Name;
  readonly reply: PlainReply;
};

export function explain(zone: Zone, { asked, name, reply }: Explained): Explanation {
  const apex = zone.apexOf(name);
  const sets = zone.store.sets(name);
  const records = sets.flatMap((set) => set.records);
  const explained = zone.store
    .why(name)
    .map(({ record, rule, source }) => ({ ...plainRecord(record), rule, source }));
  const behind = instancesBehind(zone, { name, sources: explained.map(({ source }) => source) });
  return {
    reply,
    revision: zone.revision,
    ...(apex === undefined ? {} : { zone: apex }),
    ...(asked === name ? {} : { aliasOf: name }),
    because: sentence(reply, { apex, records, below: zone.store.exists(name) }),
    records: explained,
    ...behind,
  };
}

type Found = { apex: Name | undefined; records: readonly ResourceRecord[]; below: boolean };

function sentence(reply: PlainReply, { apex, records, below }: Found): string {
  if (reply.rcode === 'FORMERR') return 'The question is not well-formed.';
  if (apex === undefined) return 'The name is in none of our zones.';
  const count = reply.answers.length;
  if (count > 0) return `Zone ${apex} has ${count} such record${count === 1 ? '' : 's'}.`;
  if (reply.rcode === 'NXDOMAIN') return `Zone ${apex} has nothing at or below this name.`;
  if (reply.rcode !== 'NOERROR') return `Zone ${apex} does not answer such questions.`;
  const types = [...new Set(records.map((record) => record.type))].join(', ');
  if (types !== '') return `The name has no record of this type, but ${types}.`;
  return below ? 'The name has no record, but there are names below it.' : `Zone ${apex} has no such record.`;
}

type Behind = Pick<Explanation, 'used' | 'leftOut'>;

function instancesBehind(zone: Zone, of: { name: Name; sources: readonly SourceKey[] }): Behind {
  const vips = [...new Set(of.sources)].flatMap((source) =>
    source.startsWith('vip:') ? (zone.vip(source.slice('vip:'.length)) ?? []) : [],
  );
  const throughVip = vips.flatMap((vip) => behindVip(zone, vip));
  const direct = zone
    .endpointsAt(of.name)
    .map((endpoint) => ({ endpoint, at: addressesOf(endpoint), takes: endpoint.ready }));
  const all = vips.length > 0 ? throughVip : direct;
  return {
    used: all.filter(({ at, takes }) => takes && at.length > 0).map(explainInstance),
    leftOut: all
      .filter(({ at, takes }) => !takes || at.length === 0)
      .map((item) => ({ ...explainInstance(item), reason: reasonOf(item.endpoint) })),
  };
}

/** As `vipBackends` weighs them. */
function behindVip(zone: Zone, { services }: Vip): readonly Placed[] {
  const all = services.flatMap(({ appId, portIndex }) =>
    zone.endpointsOf(appId).map((endpoint) => ({ endpoint, at: portAt(endpoint, portIndex) })),
  );
  const there = all.filter(({ at }) => at.length > 0).map(({ endpoint }) => endpoint);
  const taking = vipState(there);
  return all.map(({ endpoint, at }) => ({ endpoint, at, takes: stateOf(endpoint) === taking }));
}

function reasonOf(endpoint: Endpoint): string {
  if (endpoint.unreachable) return 'its agent is not heard of';
  if (endpoint.draining) return 'it drains';
  if (endpoint.failing) return 'connections of this machine to it failed lately';
  if (!endpoint.ready) return 'its health checks do not pass (yet)';
  return 'it does not have the port the VIP stands for';
}

/** `takes`: it is sent new connections. */
type Placed = { readonly endpoint: Endpoint; readonly at: readonly string[]; readonly takes: boolean };

function explainInstance({ endpoint, at }: Placed): ExplainedInstance {
  const { instanceId, appId, agentId } = endpoint;
  return { instanceId, appId, agentId, at };
}

function portAt(endpoint: Endpoint, portIndex: number): readonly string[] {
  return endpoint.ports
    .filter((port) => port.index === portIndex)
    .map(({ address, port }) => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`));
}

function addressesOf(endpoint: Endpoint): readonly string[] {
  return endpoint.addresses.length > 0 ? endpoint.addresses.map(({ ip }) => ip) : [endpoint.agentAddress];
}
