import { hash } from 'node:crypto';
import { dnsLabel, domainFrag, labelBy, rfc952 } from '../core/model/name.ts';

const zbase32 = 'ybndrfg8ejkmcpqxot1uwisza345h769';
const longest = 63;

/** The label function of Mesos-DNS in the mode it runs in. */
export function mesosLabel(text: string, enforceRfc952: boolean): string {
  return enforceRfc952 ? labelBy(text, rfc952) : dnsLabel(text);
}

/** A framework's name below the Mesos-DNS domain: its dots stay. */
export function frameworkName(framework: string, enforceRfc952: boolean): string {
  return enforceRfc952 ? domainFrag(framework, rfc952) : domainFrag(framework);
}

/** The first five characters of zbase32(SHA-1(id)), dns.md §3.2: `test` → `iffe9`. */
export function taskHash(id: string): string {
  const digest = hash('sha1', id, 'buffer');
  // five characters of five bits each: the first 25 of 32 bits
  const bits = digest.readUInt32BE(0);
  return [27, 22, 17, 12, 7].map((shift) => zbase32[(bits >>> shift) & 31]).join('');
}

/** What follows the last `-` of an agent id, as a label: `20160101-1-5050-1-S4` → `s4`. */
export function agentTail(agentId: string): string {
  return dnsLabel(agentId.slice(agentId.lastIndexOf('-') + 1));
}

/** A task's own name below its framework: `{task}-{hash}-{tail}`, with `taskHash` of its id. The task gives way so that its last label fits. */
export function canonicalTask(task: string, idHash: string, agentId: string): string {
  const suffix = `-${idHash}-${agentTail(agentId)}`;
  const start = task.lastIndexOf('.') + 1;
  return task.slice(0, start) + dnsLabel(task.slice(start), longest - suffix.length) + suffix;
}

/**
 * The label function of the DC/OS node resolver (dns.md §2.3): as Mesos-DNS, but what does not begin a host name is
 * skipped, and places freed by trimming at 63 characters are filled with letters and digits only.
 */
export function dcosLabel(text: string): string {
  const mapped = text
    .toLowerCase()
    .replace(/[._]/g, '-')
    .replace(/[^a-z0-9-]/g, '')
    .replace(/^-+/, '');
  const head = mapped.slice(0, longest).replace(/-+$/, '');
  if (mapped.length <= longest) return head;
  const refill = mapped.slice(longest).replaceAll('-', '');
  return head + refill.slice(0, longest - head.length);
}
