import type { DirectoryAgent } from '../../core/model/directory.ts';
import type { ZoneOptions } from '../options.ts';
import type { Given } from '../record-set.ts';
import { Sheet } from './sheet.ts';

/** dns.md §3.5: every agent is one of `slave.mesos`. */
export function recordsOfAgent(agent: DirectoryAgent, options: ZoneOptions): readonly Given[] {
  const sheet = new Sheet(`agent:${agent.id}`, options.ttl);
  const name = `slave.${options.mesosDomain}`;
  sheet.addresses('Mesos-DNS agents', name, [agent.address]);
  const port = options.ports.agent;
  if (port !== undefined) {
    sheet.service('Mesos-DNS agents', `_slave._tcp.${options.mesosDomain}`, { name, port });
  }
  return sheet.given;
}

/** dns.md §3.5 and §9. `masters` in order of id: the n-th is `master<n>.mesos`. */
export function recordsOfMasters(masters: readonly DirectoryAgent[], options: ZoneOptions): readonly Given[] {
  const { dcosDomain, framework, mesosDomain, ports } = options;
  const sheet = new Sheet('masters', options.ttl);
  const addresses = masters.map((master) => master.address);
  masters.forEach((master, index) => {
    sheet.addresses('Mesos-DNS master by number', `master${index}.${mesosDomain}`, [master.address]);
  });
  sheet.addresses('Mesos-DNS masters', `master.${mesosDomain}`, addresses);
  sheet.addresses('DC/OS masters', `master.dcos.${dcosDomain}`, addresses);
  // the Directory does not say which master leads; every one of them serves the API and passes writes on
  sheet.addresses('Mesos-DNS leader', `leader.${mesosDomain}`, addresses);
  sheet.addresses('DC/OS leader', `leader.dcos.${dcosDomain}`, addresses);
  sheet.addresses('Mesos-DNS framework', `${framework}.${mesosDomain}`, addresses);
  if (masters.length > 0 && ports.master !== undefined) {
    const target = { name: `leader.${mesosDomain}`, port: ports.master };
    for (const protocol of ['tcp', 'udp']) {
      sheet.service('Mesos-DNS leader', `_leader._${protocol}.${mesosDomain}`, target);
    }
  }
  if (masters.length > 0 && ports.framework !== undefined) {
    const target = { name: `${framework}.${mesosDomain}`, port: ports.framework };
    sheet.service('Mesos-DNS framework', `_framework._tcp.${framework}.${mesosDomain}`, target);
  }
  return sheet.given;
}
