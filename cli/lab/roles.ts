import type { Lab, LabHost } from '../../conformance/lab/lab.ts';
import { masterPort, masterUrl, weirCommand } from './place.ts';

export type Role = 'master' | 'agent';
export const roles: readonly Role[] = ['master', 'agent'];

/** Port of the edge on every address of its host. */
export const edgePorts = { http: 8000, https: 8443 };

/** The first host has the master, the last one the edge; every one has an agent. */
export function commandOf(lab: Lab, host: LabHost, role: Role): readonly string[] {
  const [first] = lab.hosts;
  if (role === 'master')
    return weirCommand(
      ...['master', '--api', `0.0.0.0:${masterPort}`, '--data', `${host.dir}/master`],
      ...['--join-secret', secretOf(lab)],
    );
  const edge = host === lab.hosts.at(-1);
  return weirCommand(
    ...['agent', '--master', masterUrl(first!), '--address', host.address, '--hostname', host.name],
    ...['--data', `${host.dir}/agent`, '--scope', scopeOf(host)],
    ...(edge
      ? [
          '--join-secret',
          secretOf(lab),
          '--edge',
          '--http',
          `0.0.0.0:${edgePorts.http}`,
          '--https',
          `0.0.0.0:${edgePorts.https}`,
        ]
      : []),
  );
}

/** Only this machine reaches a lab. */
function secretOf({ plan }: Lab): string {
  return `weir-lab-${plan.name}`;
}

/** Named after the lab and the host, so that what its containers hold can be told from everybody else's. */
function scopeOf({ netns, name }: LabHost): string {
  const lab = netns.slice('weir-'.length, -`-${name}`.length);
  return `${lab}/${name}`;
}
