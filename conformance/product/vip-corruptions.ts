import type { Test } from 'tap';
import { becomes } from '../lab/processes.ts';
import type { Host } from './host.ts';

/** Something done by hand to a machine's virtual IPs. Commands are shell lines on that machine. */
export type Corruption = {
  readonly name: string;
  readonly command: string;
  /** What the product says to it. */
  readonly says: RegExp;
  /** Prints nothing when it is undone. */
  readonly gone?: string;
};

const range = '100.100.0.0/16';

/** `vip` is of two backends, at port 9000. */
export function inKernel(vip: string): readonly Corruption[] {
  const nft = (text: string) => `nft '${text}'`;
  const slot = (n: number) => `${vip} . 9000 . ${n}`;
  return [
    {
      name: 'a chain without its rules',
      command: nft('flush chain ip weir dispatch'),
      says: /chain dispatch was changed/,
    },
    {
      name: 'a rule put in the way',
      command: nft('insert rule ip weir client drop'),
      says: /chain client was changed/,
      gone: 'nft list chain ip weir client | grep drop || :',
    },
    {
      name: 'a chain too many',
      command: nft('add chain ip weir more { type filter hook forward priority 0; policy accept; }'),
      says: /chain more is not ours/,
      gone: "nft list chains ip | grep 'chain more' || :",
    },
    {
      name: 'a service deleted',
      command: nft(`delete element ip weir services { ${vip} . tcp . 9000 }`),
      says: /map services lacks 1 of/,
    },
    {
      name: 'a service invented',
      command: nft('add element ip weir services { 100.100.255.254 . tcp . 80 : goto tcp-of-1 }'),
      says: /map services has 1 elements that are not ours/,
      gone: "nft list map ip weir services | grep '100.100.255.254' || :",
    },
    {
      name: 'wrong weights: all slots lead to one backend',
      command: `one=$(nft list map ip weir tcp-targets | grep -oE '${slot(0).replaceAll('.', '\\.')} : [0-9.]+ \\. 9000' | sed 's/.* : //')
        nft "delete element ip weir tcp-targets { ${slot(1)} }; add element ip weir tcp-targets { ${slot(1)} : $one }"`,
      says: /map tcp-targets lacks 1 of/,
    },
    {
      name: 'a stale slot',
      command: nft(`add element ip weir tcp-targets { ${slot(7)} : 100.64.0.99 . 9000 }`),
      says: /map tcp-targets has \d elements that are not ours/,
      gone: "nft list map ip weir tcp-targets | grep '100.64.0.99' || :",
    },
    {
      name: 'a rule of another table that drops',
      command: nft(
        `table ip weirother { chain out { type filter hook output priority -300; ip daddr ${vip} drop; }; }`,
      ),
      says: /table ip weirother \(chain out\) does drop to packets for/,
      gone: 'nft list table ip weirother | grep drop || :',
    },
    {
      name: 'a rule of another table that leads elsewhere',
      command: nft(
        `table inet weirmore { chain out { type nat hook prerouting priority -150; ip daddr ${range} dnat ip to 100.64.0.99; }; }`,
      ),
      says: /table inet weirmore \(chain out\) does dnat to packets for/,
      gone: 'nft list table inet weirmore | grep dnat || :',
    },
    {
      name: 'the route of the range deleted',
      command: `ip route del ${range} dev weirvip0`,
      says: /the route to 100\.100\.0\.0\/16 is missing/,
    },
    {
      name: 'the unreachable route behind it deleted',
      command: `ip route del unreachable ${range} metric 4278198272 proto 88`,
      says: /the fallback route to 100\.100\.0\.0\/16 is missing/,
    },
  ];
}

export function wholly(): readonly Corruption[] {
  return [
    { name: 'the table deleted', command: 'nft delete table ip weir', says: /chain dispatch is missing/ },
    {
      name: 'the device deleted',
      command: 'ip link del weirvip0',
      says: /the device weirvip0 is missing/,
    },
  ];
}

/** `load`: where the programs and their maps are pinned. */
export function atSocket(vip: string, load: string): readonly Corruption[] {
  const bytes = (numbers: readonly number[]) => numbers.map((byte) => byte.toString(16).padStart(2, '0'));
  const place = (address: string) =>
    ['00 '.repeat(10).trim(), 'ff ff', ...bytes(address.split('.').map(Number)), '23 28 06 00'].join(' ');
  const map = (verb: string, name: string, rest: string) =>
    `bpftool map ${verb} pinned ${load}/maps/${name} key hex ${rest}`;
  return [
    {
      name: 'a program detached',
      command: `id=$(bpftool -j prog show pinned ${load}/host_connect4 | grep -oE '"id":[0-9]+' | head -1 | grep -oE '[0-9]+')
        bpftool cgroup detach $(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts) connect4 id $id`,
      says: /1 of \d+ programs at the socket are not attached/,
    },
    {
      name: 'a service deleted at the socket',
      command: map('delete', 'services', place(vip)),
      says: /map services at the socket lacks 1 of/,
    },
    {
      name: 'a slot that leads elsewhere at the socket',
      command: map('update', 'slots', `${place(vip)} 00 00 00 00 value hex ${place('100.64.0.99')}`),
      says: /map slots at the socket lacks 1 of/,
    },
    {
      name: 'a service invented at the socket',
      command: map(
        'update',
        'services',
        `${place('100.100.255.254')} value hex 01 00 00 00 00 00 00 00 00 00 00 00`,
      ),
      says: /map services at the socket has 1 elements/,
    },
  ];
}

/** Another resolver in front of the product's, that knows one wrong address. Ends with the test. */
export async function inAnswers(
  t: Test,
  host: Host,
  vip: string,
): Promise<{ readonly corruption: Corruption; readonly undo: string }> {
  const pid = (
    await host.shell(
      `dnsmasq --keep-in-foreground --no-resolv --no-hosts --conf-file=/dev/null --port=5399 --listen-address=127.0.0.1 --bind-interfaces --address=/web.weir/100.100.9.9 > ${host.dir}/dnsmasq.log 2>&1 & echo $!`,
    )
  ).trim();
  t.teardown(() => host.exec(['kill', pid]));
  await becomes(
    async () =>
      (await host.exec(['dig', '@127.0.0.1', '-p', '5399', '+short', 'web.weir'])).stdout.includes('9.9'),
    10_000,
  );
  return {
    corruption: {
      name: 'a changed answer',
      command:
        "nft 'table ip weirdns { chain out { type nat hook output priority -100; ip daddr 127.0.0.1 udp dport 10053 redirect to :5399; }; }'",
      says: new RegExp(`the name web\\.weir is answered with 100\\.100\\.9\\.9 instead of ${vip}`),
    },
    undo: 'nft delete table ip weirdns',
  };
}
