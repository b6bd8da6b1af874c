import t from 'tap';
import { weir } from '../testing/weir.ts';
import { chooseBackends } from './choose.ts';
import { type MachineFacts, machineFacts } from './facts.ts';
import { report } from './report.ts';

const all: MachineFacts = {
  root: true,
  runc: '/usr/sbin/runc',
  conmon: '/usr/bin/conmon',
  cni: '/usr/lib/cni',
  nft: '/usr/sbin/nft',
  ip: '/usr/sbin/ip',
  conntrack: '/usr/sbin/conntrack',
  skopeo: '/usr/bin/skopeo',
  umoci: '/usr/bin/umoci',
  bpftool: '/usr/sbin/bpftool',
  haproxy: undefined,
  bpf: { compiled: true, cgroups: true },
  vxlan: true,
  overlayfs: true,
  cgroups: 2,
  kernel: { netns: true, veth: true, bridge: true, vxlan: true, nftables: true, overlayfs: true },
};

t.test('chooseBackends takes the real thing when nothing is missing', async (t) => {
  const { runtime, network, vip } = chooseBackends(all);
  t.same([runtime.value, network.value, vip.value], ['runc', 'vxlan', 'ebpf']);
  t.same([runtime.lacks, network.lacks, vip.lacks], [[], [], []]);
});

t.test('chooseBackends falls back together, and says for want of what', async (t) => {
  const cases: readonly (readonly [Partial<MachineFacts>, string, readonly string[]])[] = [
    [{ root: false }, 'process loopback userspace', ['root']],
    [{ runc: undefined, conmon: undefined }, 'process loopback userspace', ['runc', 'conmon']],
    [{ kernel: { ...all.kernel, netns: false } }, 'process loopback userspace', ['network namespaces']],
    [{ cgroups: undefined }, 'process loopback userspace', ['cgroups']],
  ];
  for (const [less, expected, lacks] of cases) {
    const { runtime, network, vip } = chooseBackends({ ...all, ...less });
    t.equal([runtime.value, network.value, vip.value].join(' '), expected);
    t.same(runtime.lacks, lacks);
  }
  const noVxlan = chooseBackends({ ...all, vxlan: false, kernel: { ...all.kernel, vxlan: false } });
  t.same([noVxlan.runtime.value, noVxlan.network.value], ['runc', 'loopback']);
  t.equal(chooseBackends({ ...all, conntrack: undefined }).vip.value, 'userspace');
  const { vip } = chooseBackends({ ...all, bpf: { compiled: false, cgroups: true } });
  t.match(vip, { value: 'nftables', lacks: [/clang/] });
});

t.test(
  'the report gives each missing thing the command that fixes it, and all packages in one',
  async (t) => {
    const facts: MachineFacts = {
      ...all,
      root: false,
      bpf: { compiled: false, cgroups: true },
      kernel: { ...all.kernel, vxlan: false, nftables: undefined },
    };
    const text = report({
      facts,
      choices: chooseBackends(facts),
      tools: [
        { name: 'runc', path: undefined, version: undefined, gives: 'containers', package: 'runc' },
        { name: 'nft', path: '/usr/sbin/nft', version: '1.0.6', gives: 'virtual IPs', package: 'nftables' },
      ],
      ports: [
        { what: 'API', flag: '--api', at: '127.0.0.1:8080', problem: 'the port is in use by x (pid 1)' },
        { what: 'edge, HTTP', flag: '--http', at: '127.0.0.1:8000', problem: undefined },
        {
          what: 'resolver',
          flag: '--dns',
          at: '127.0.0.1:10053',
          problem: 'the port is in use by Weir (pid 2)',
        },
      ],
      data: { path: '/data', free: 10, writable: true },
      node: 'v26.10.0',
    });
    const expected = `
Machine
  ok   runtime      Node v26.10.0
  no   root         no; fix: sudo ./weir dev
  ok   cgroups      version 2
  no   data folder  /data, 10 MiB free; fix: choose another place with --data DIR or WEIR_DATA

Kernel
  ok   netns      containers, the lab
  ok   veth       networks of containers, the lab
  ok   bridge     networks of containers, the lab
  no   vxlan      networks across machines; fix: modprobe vxlan
  ?    nftables   virtual IPs in the kernel; cannot be tried out here
  ok   overlayfs  root file systems of containers

Programs
  no   runc       containers; fix: apt-get install runc
  ok   nft        1.0.6, /usr/sbin/nft: virtual IPs
  no   vip.bpf.o  virtual IPs at the socket; fix: apt-get install clang-14 libbpf-dev

Ports of weir dev
  no   127.0.0.1:8080   API, the port is in use by x (pid 1); fix: weir dev --api HOST:PORT
  ok   127.0.0.1:8000   edge, HTTP
  ok   127.0.0.1:10053  resolver, the port is in use by Weir (pid 2)

What Weir will use here
  containers   process (for want of root)
  networks     loopback (for want of root, vxlan, the runc runtime)
  virtual IPs  userspace (for want of root, the vxlan network)
  edge         builtin (--edge-engine haproxy is not installed: apt-get install haproxy)

Install what is missing: sudo apt-get install runc clang-14 libbpf-dev`;
    t.equal(text, expected.slice(1));
  },
);

t.test('machineFacts tries the kernel out and leaves nothing behind', async (t) => {
  const { root, kernel } = await machineFacts();
  t.equal(root, process.getuid?.() === 0);
  for (const works of Object.values(kernel)) t.ok(works === undefined || typeof works === 'boolean');
  const skip = root && kernel.netns ? false : 'needs root with capabilities';
  t.test('as root the answer is known', { skip }, async (t) => {
    t.notMatch(Object.values(kernel), [undefined]);
  });
});

t.test('weir doctor ends well and names what will be used; --json gives the same as data', async (t) => {
  const page = await weir(['doctor']);
  t.equal(page.exitCode, 0);
  t.match(page.stdout, /What Weir will use here\n {2}containers {3}(runc|process)/);
  const { choices, ports } = JSON.parse((await weir(['doctor', '--json'])).stdout);
  t.ok(['runc', 'process'].includes(choices.runtime.value));
  t.equal(ports.length, 5);
});
