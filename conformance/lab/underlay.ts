import { run } from '../../core/kit/exec.ts';
import { parseCidr4 } from '../../core/kit/ip.ts';
import { hostsOf, type LabHost, type LabPlan, netNamespace } from './names.ts';

const bridge = 'weirbr0';
/** The host's device on the underlay. */
export const underlayDevice = 'weir0';

/** Namespaces, a bridge in one of their own, and a cable from each host to it. Nothing of it has a way out. */
export async function buildUnderlay(plan: LabPlan): Promise<void> {
  const hosts = hostsOf(plan);
  const net = netNamespace(plan.name);
  const { prefix } = parseCidr4(plan.subnet);
  await batch(undefined, [`netns add ${net}`, ...hosts.map(({ netns }) => `netns add ${netns}`)]);
  await batch(net, [
    'link set lo up',
    `link add ${bridge} type bridge`,
    `link set ${bridge} up`,
    ...hosts.flatMap(({ port, netns }) => [
      `link add ${port} type veth peer name ${underlayDevice} netns ${netns}`,
      `link set ${port} master ${bridge} up`,
    ]),
  ]);
  for (const host of hosts) {
    await batch(host.netns, [
      'link set lo up',
      `addr add ${host.address}/${prefix} dev ${underlayDevice}`,
      `link set ${underlayDevice} up`,
    ]);
  }
}

/** Takes the cable out of the bridge's side: the host sees its link go down, its own addresses stay. */
export async function plug(lab: string, host: LabHost, plugged: boolean): Promise<void> {
  await batch(netNamespace(lab), [`link set ${host.port} ${plugged ? 'up' : 'down'}`]);
}

export async function isPlugged(lab: string, host: LabHost): Promise<boolean> {
  const text = await run('ip', ['-n', netNamespace(lab), '-json', 'link', 'show', 'dev', host.port]);
  const [link] = JSON.parse(text) as readonly { readonly flags: readonly string[] }[];
  return link?.flags.includes('UP') === true;
}

async function batch(netns: string | undefined, lines: readonly string[]): Promise<void> {
  const inside = netns === undefined ? [] : ['-n', netns];
  await run('ip', [...inside, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}
