import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { run, tryRun } from '../../../core/kit/exec.ts';
import type { HostExec } from '../backends/nftables/host.ts';
import type { HostSpawn } from '../backends/nftables/session.ts';
import { remoteActor, type Traffic } from './remote-actor.ts';

/**
 * A host with two containers on a bridge (`a`, `b`), one routed (`r`), and a neighbour host (`x`) that is its default
 * route; each a network namespace without a way out.
 *
 *     a 100.65.1.11 ─┐
 *     b 100.65.1.12 ─┤ bridge 100.65.1.1   host   100.65.3.1 ── x 100.65.3.2
 *                    └──────────────────    │
 *     r 100.65.2.2  ── 100.65.2.1 ──────────┘
 */
export type Lab = {
  readonly host: HostExec;
  /** Starts a program there; its standard input and output are pipes. */
  spawn(place: Place, ...args: Parameters<HostSpawn>): ReturnType<HostSpawn>;
  /** Traffic from a place: `host`, `a`, `b`, `r`, `x`; started on first use. */
  at(place: Place): Traffic;
  /** Runs a program there; throws when it fails. */
  run(place: Place, file: string, args: readonly string[], input?: string): Promise<string>;
  /** Do bridged frames pass the host's netfilter? */
  bridgeNetfilter(on: boolean): Promise<void>;
  close(): Promise<void>;
};

export type Place = 'host' | 'a' | 'b' | 'r' | 'x';

export const addresses = {
  host: '100.65.3.1',
  a: '100.65.1.11',
  b: '100.65.1.12',
  r: '100.65.2.2',
  x: '100.65.3.2',
};

export const addresses6 = {
  host: 'fd65:3::1',
  a: 'fd65:1::11',
  b: 'fd65:1::12',
  r: 'fd65:2::2',
  x: 'fd65:3::2',
};

const places: readonly Place[] = ['host', 'a', 'b', 'r', 'x'];

/** `id` tells the labs of one process apart. `group`: folder of a control group for the traffic of all but host and x. */
export async function createLab(id: string, { group }: { readonly group?: string } = {}): Promise<Lab> {
  await sweep();
  const name = (place: Place): string => `weirvip-${process.pid}-${id}-${place}`;
  const actors = new Map<Place, Traffic>();
  const inside = (place: Place, file: string, args: readonly string[]) =>
    ['netns', 'exec', name(place), file, ...args] as const;
  const host: HostExec = (file, args, input) =>
    tryRun('ip', inside('host', file, args), input === undefined ? {} : { input });
  const lab: Lab = {
    host,
    spawn: (place, file, args) =>
      spawn('ip', inside(place, file, args), { stdio: ['pipe', 'pipe', 'ignore'] }),
    at: (place) => {
      const actor = actors.get(place) ?? remoteActor(name(place), 'abr'.includes(place) ? group : undefined);
      actors.set(place, actor);
      return actor;
    },
    run: (place, file, args, input) =>
      run('ip', inside(place, file, args), input === undefined ? {} : { input }),
    bridgeNetfilter: async (on) => {
      const file = '/proc/sys/net/bridge/bridge-nf-call-iptables';
      await lab.run('host', 'sh', ['-c', `[ ! -e ${file} ] || echo ${on ? 1 : 0} > ${file}`]);
    },
    close: async () => {
      const ended = await Promise.allSettled([...actors.values()].map((actor) => actor.close()));
      for (const place of places) await tryRun('ip', ['netns', 'del', name(place)]);
      for (const end of ended) if (end.status === 'rejected') throw end.reason;
    },
  };
  try {
    for (const place of places) await run('ip', ['netns', 'add', name(place)]);
    for (const place of places) await lab.run(place, 'sh', ['-c', noDad]);
    for (const place of places) await lab.run(place, 'ip', ['-batch', '-'], wiring(place, name));
    await lab.run('host', 'sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
    await lab.run('host', 'sh', ['-c', 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding']);
    return lab;
  } catch (error) {
    await lab.close();
    throw error;
  }
}

/**
 * While the kernel looks whether somebody else has a link's own address (one to two seconds, RFC 4862 §5.4), it cannot ask for
 * a neighbour from there: the first SYN waits in the queue of the bridge, not yet a tracked connection, and the one sent
 * again after a second counts as another. Everybody here has an address of his own.
 */
const noDad = 'for each in all default; do echo 0 > /proc/sys/net/ipv6/conf/$each/accept_dad; done';

/** Removes the labs of processes that ended before they could. */
async function sweep(): Promise<void> {
  const listed = await run('ip', ['netns', 'list']);
  for (const [name, pid] of listed.matchAll(/^weirvip-(\d+)-\S+/gm)) {
    if (!existsSync(`/proc/${pid}`)) await tryRun('ip', ['netns', 'del', name]);
  }
}

function wiring(place: Place, name: (place: Place) => string): string {
  return `${(place === 'host' ? hostLines(name) : guestLines(place)).join('\n')}\n`;
}

function hostLines(name: (place: Place) => string): readonly string[] {
  return [
    'link set lo up',
    'link add weirbr type bridge',
    'addr add 100.65.1.1/24 dev weirbr',
    'link set weirbr up',
    ...(['a', 'b', 'r', 'x'] as const).map(
      (guest) => `link add weir${guest} type veth peer name eth0 netns ${name(guest)}`,
    ),
    'link set weira master weirbr',
    'link set weirb master weirbr',
    'link set weira type bridge_slave hairpin on',
    'link set weirb type bridge_slave hairpin on',
    ...['a', 'b', 'r', 'x'].map((guest) => `link set weir${guest} up`),
    'addr add 100.65.2.1/32 dev weirr',
    'route add 100.65.2.2/32 dev weirr',
    'addr add 100.65.3.1/24 dev weirx',
    'route add default via 100.65.3.2',
    'addr add fd65:1::1/64 dev weirbr nodad',
    'addr add fd65:2::1/128 dev weirr nodad',
    'route add fd65:2::2/128 dev weirr',
    'addr add fd65:3::1/64 dev weirx nodad',
    'route add default via fd65:3::2',
  ];
}

const gateways6 = { a: 'fd65:1::1', b: 'fd65:1::1', r: 'fd65:2::1', x: 'fd65:3::1' };

function guestLines(place: Exclude<Place, 'host'>): readonly string[] {
  const length = place === 'r' ? 32 : 24;
  const gateway = { a: '100.65.1.1', b: '100.65.1.1', r: '100.65.2.1', x: '100.65.3.1' }[place];
  return [
    'link set lo up',
    `addr add ${addresses[place]}/${length} dev eth0`,
    'link set eth0 up',
    ...(place === 'r' ? [`route add ${gateway} dev eth0 scope link`] : []),
    `route add default via ${gateway}`,
    `addr add ${addresses6[place]}/${place === 'r' ? 128 : 64} dev eth0 nodad`,
    ...(place === 'r' ? ['route add fd65:2::1 dev eth0'] : []),
    `route add default via ${gateways6[place]}`,
  ];
}
