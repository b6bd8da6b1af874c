import type { DirectoryAgent } from '../../core/model/directory.ts';
import { dnsLabel } from '../../core/model/name.ts';
import { frameworkName } from '../labels.ts';
import type { ZoneOptions } from '../options.ts';
import type { Given } from '../record-source.ts';
import { reverseName } from './reverse.ts';
import { Sheet } from './sheet.ts';

/** DC/OS has that many names for its ZooKeepers, however many there are (dns.md §9). */
const zookeeperNames = 5;

/** dns.md §3.5: every agent is one of `slave.mesos`. Its own name is `<hostname>.agents.weir`, and back. */
export function recordsOfAgent(
  agent: DirectoryAgent,
  options: ZoneOptions,
  before: readonly Given[] = [],
): readonly Given[] {
  const sheet = new Sheet(options.ttl, { before });
  const name = `slave.${options.mesosDomain}`;
  sheet.addresses('Mesos-DNS agents', name, [agent.address]);
  const port = options.ports.agent;
  if (port !== undefined) {
    sheet.service('Mesos-DNS agents', `_slave._tcp.${options.mesosDomain}`, {
      name,
      port,
      weight: options.srvWeight,
    });
  }
  const own = `${dnsLabel(agent.hostname) || dnsLabel(agent.id)}.agents.${options.weirDomain}`;
  sheet.addresses('name of an agent', own, [agent.address]);
  const reverse = reverseName(agent.address);
  if (reverse !== undefined) sheet.target('address of an agent', 'PTR', reverse, own);
  return sheet.given;
}

/** dns.md §3.5 and §9. `masters` in order of id: the n-th is `master<n>.mesos`. */
export function recordsOfMasters(
  masters: readonly DirectoryAgent[],
  options: ZoneOptions,
  before: readonly Given[] = [],
): readonly Given[] {
  const sheet = new Sheet(options.ttl, { before });
  const addresses = masters.map((master) => master.address);
  writeMasters(sheet, addresses, options);
  // nobody may know which master leads: then each of them, as every one that answers the API serves it
  const leaders = masters.filter((master) => master.leader).map((master) => master.address);
  writeLeader(sheet, leaders.length > 0 ? leaders : addresses, options);
  writeZookeeper(sheet, options.zookeeper.length > 0 ? options.zookeeper : addresses);
  return sheet.given;
}

function writeMasters(sheet: Sheet, addresses: readonly string[], options: ZoneOptions): void {
  const { dcosDomain, mesosDomain } = options;
  addresses.forEach((address, index) => {
    sheet.addresses('Mesos-DNS master by number', `master${index}.${mesosDomain}`, [address]);
  });
  sheet.addresses('Mesos-DNS masters', `master.${mesosDomain}`, addresses);
  sheet.addresses('DC/OS masters', `master.dcos.${dcosDomain}`, addresses);
}

function writeLeader(sheet: Sheet, leaders: readonly string[], options: ZoneOptions): void {
  const { dcosDomain, mesosDomain, ports } = options;
  const leader = `leader.${mesosDomain}`;
  const framework = `${frameworkName(options.framework, options.enforceRfc952)}.${mesosDomain}`;
  sheet.addresses('Mesos-DNS leader', leader, leaders);
  sheet.addresses('DC/OS leader', `leader.dcos.${dcosDomain}`, leaders);
  sheet.addresses('Mesos-DNS framework', framework, leaders);
  if (leaders.length === 0) return;
  const weight = options.srvWeight;
  for (const protocol of ports.master === undefined ? [] : ['tcp', 'udp']) {
    const target = { name: leader, port: ports.master!, weight };
    sheet.service('Mesos-DNS leader', `_leader._${protocol}.${mesosDomain}`, target);
  }
  if (ports.framework === undefined) return;
  const target = { name: framework, port: ports.framework, weight };
  sheet.service('Mesos-DNS framework', `_framework._tcp.${framework}`, target);
}

/** With fewer than five, the names wrap round the list. */
function writeZookeeper(sheet: Sheet, addresses: readonly string[]): void {
  for (let number = 1; number <= zookeeperNames && addresses.length > 0; number++) {
    const address = addresses[(number - 1) % addresses.length]!;
    sheet.addresses('DC/OS ZooKeeper', `zk-${number}.zk`, [address]);
  }
}
