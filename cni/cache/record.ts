import type { Attachment } from '../attachment.ts';
import { type NetworkList, networkOf, parseNetwork } from '../config/network.ts';
import { isObject, type Json, type JsonObject, parseJson } from '../json.ts';
import { formatResult } from '../result/format.ts';
import { parseResult } from '../result/parse.ts';
import type { CniResult } from '../result/result.ts';

/** What is known about an attachment: made by the runtime, read by DEL, CHECK and GC. */
export type AttachmentRecord = {
  /** The list used at ADD, whatever the file says now. */
  readonly network: NetworkList;
  readonly attachment: Attachment;
  /** The final result of the ADD; absent while the ADD is not complete. */
  readonly result?: CniResult;
  /** Boot in which the record was written; absent when another runtime wrote it. */
  readonly bootId?: string;
};

const COMPLETE = 'cniCacheV1';
const PENDING = 'weirPendingV1';

/** The text of a record in libcni's format, which other tools read too; `bootId` is ours and is passed over by them. */
export function formatRecord(record: AttachmentRecord): string {
  const { network, attachment, result, bootId } = record;
  return JSON.stringify({
    kind: result === undefined ? PENDING : COMPLETE,
    containerId: attachment.containerId,
    config: Buffer.from(JSON.stringify(network.json)).toString('base64'),
    ifName: attachment.ifName,
    networkName: network.name,
    netns: attachment.netns,
    ...(attachment.cniArgs === undefined ? {} : { cniArgs: attachment.cniArgs }),
    ...(attachment.capabilityArgs === undefined ? {} : { capabilityArgs: attachment.capabilityArgs }),
    ...(result === undefined ? {} : { result: formatResult(result, network.cniVersion) }),
    ...(bootId === undefined ? {} : { bootId }),
  });
}

/** @throws Error when the text is not a record (what is wrong is for the log only) */
export function parseRecord(text: string): AttachmentRecord {
  const json = parseJson(text);
  if (!isObject(json) || (json.kind !== COMPLETE && json.kind !== PENDING))
    throw new Error('not a CNI cache record');
  const network = parseNetwork(
    Buffer.from(string(json, 'config'), 'base64').toString('utf8'),
    'cached configuration',
  );
  return {
    network:
      json.networkName === network.name
        ? network
        : networkOf({ ...network.json, name: string(json, 'networkName') }),
    attachment: parseAttachment(json),
    ...(json.kind === COMPLETE ? { result: parseResult(json.result, network.cniVersion) } : {}),
    ...(typeof json.bootId === 'string' ? { bootId: json.bootId } : {}),
  };
}

function parseAttachment(json: JsonObject): Attachment {
  return {
    containerId: string(json, 'containerId'),
    ifName: string(json, 'ifName'),
    netns: json.netns === undefined ? '' : string(json, 'netns'),
    ...(isObject(json.capabilityArgs) ? { capabilityArgs: json.capabilityArgs } : {}),
    ...(Array.isArray(json.cniArgs) ? { cniArgs: json.cniArgs.map(parsePair) } : {}),
  };
}

function parsePair(pair: Json): readonly [string, string] {
  if (!Array.isArray(pair) || pair.length !== 2) throw new Error('cniArgs must be pairs');
  return [String(pair[0]), String(pair[1])];
}

function string(json: JsonObject, key: string): string {
  const value = json[key];
  if (typeof value !== 'string') throw new Error(`${key} must be a string`);
  return value;
}
