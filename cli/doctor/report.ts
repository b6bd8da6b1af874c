import { styled } from '../show/style.ts';
import { table } from '../show/table.ts';
import { type Choices, chooseBackends } from './choose.ts';
import { type DataFolder, dataFolder, littleSpace } from './disk.ts';
import { type MachineFacts, machineFacts } from './facts.ts';
import { type KernelFeature, kernelFeatures } from './kernel.ts';
import { type PortState, portStates } from './ports.ts';
import { type Tool, tools } from './versions.ts';

/** Everything doctor finds out; the JSON of `weir doctor --json`. */
export type Diagnosis = {
  readonly facts: MachineFacts;
  readonly choices: Choices;
  readonly tools: readonly Tool[];
  readonly ports: readonly PortState[];
  readonly data: DataFolder;
  readonly node: string;
};

export async function diagnose(): Promise<Diagnosis> {
  const facts = await machineFacts();
  const [found, ports, data] = await Promise.all([tools(facts), portStates(), dataFolder()]);
  return { facts, choices: chooseBackends(facts), tools: found, ports, data, node: process.version };
}

/** One page for people; each thing that is missing has the command that fixes it on its line. */
export function report(diagnosis: Diagnosis): string {
  const { facts, choices, ports, data, node } = diagnosis;
  const sections = [
    ['Machine', machineLines(facts, { node, data })],
    ['Kernel', kernelFeatures.map((feature) => kernelLine(feature, facts.kernel[feature]))],
    ['Programs', [...diagnosis.tools.map(toolLine), socketLine(facts)]],
    ['Ports of weir dev', ports.map(portLine)],
  ] as const;
  const lines = sections.map(([head, items]) => `${styled('bold', head)}\n${lineTable(items)}`);
  return [
    ...lines,
    `${styled('bold', 'What Weir will use here')}\n${choiceLines(choices)}\n${edgeLine(facts)}`,
    verdict(diagnosis),
  ].join('\n\n');
}

type Line = {
  readonly good: boolean | undefined;
  readonly name: string;
  readonly value: string;
  readonly fix?: string;
};

function lineTable(lines: readonly Line[]): string {
  const text = table<Line>(
    [
      { head: '', of: ({ good }) => mark(good) },
      { head: '', of: ({ name }) => name },
      { head: '', of: ({ value, fix }) => (fix === undefined ? value : `${value}; fix: ${fix}`) },
    ],
    lines,
  );
  return text.split('\n').slice(1).join('\n');
}

function mark(good: boolean | undefined): string {
  if (good === undefined) return '  ?  ';
  return good ? styled('green', '  ok ') : styled('red', '  no ');
}

function machineLines(
  { root, cgroups }: MachineFacts,
  { node, data }: { node: string; data: DataFolder },
): readonly Line[] {
  const free = data.free === undefined ? 'unknown space' : `${data.free} MiB free`;
  const enough = data.writable && (data.free ?? 0) >= littleSpace;
  return [
    { good: true, name: 'runtime', value: `Node ${node}` },
    { good: root, name: 'root', value: root ? 'yes' : 'no', ...(root ? {} : { fix: 'sudo ./weir dev' }) },
    {
      good: cgroups !== undefined,
      name: 'cgroups',
      value: cgroups === undefined ? 'none' : `version ${cgroups}`,
      ...(cgroups === undefined ? { fix: 'mount -t cgroup2 none /sys/fs/cgroup' } : {}),
    },
    {
      good: enough,
      name: 'data folder',
      value: `${data.path}, ${free}${data.writable ? '' : ', not writable'}`,
      ...(enough ? {} : { fix: 'choose another place with --data DIR or WEIR_DATA' }),
    },
  ];
}

const kernelWords: Readonly<Record<KernelFeature, readonly [gives: string, fix: string]>> = {
  netns: ['containers, the lab', 'run outside of a container, or give it CAP_SYS_ADMIN'],
  veth: ['networks of containers, the lab', 'modprobe veth'],
  bridge: ['networks of containers, the lab', 'modprobe bridge'],
  vxlan: ['networks across machines', 'modprobe vxlan'],
  nftables: ['virtual IPs in the kernel', 'modprobe nf_tables nft_chain_nat'],
  overlayfs: ['root file systems of containers', 'modprobe overlay'],
};

function kernelLine(feature: KernelFeature, works: boolean | undefined): Line {
  const [gives, fix] = kernelWords[feature];
  if (works === undefined)
    return { good: undefined, name: feature, value: `${gives}; cannot be tried out here` };
  return { good: works, name: feature, value: gives, ...(works ? {} : { fix }) };
}

function toolLine({ name, path, version, gives, package: from }: Tool): Line {
  if (path === undefined) return { good: false, name, value: gives, fix: `apt-get install ${from}` };
  return { good: true, name, value: `${[version, path].filter(Boolean).join(', ')}: ${gives}` };
}

const socketPackages = 'clang-14 libbpf-dev';

/** Made here from source, so it is no package: the next start of `./weir` compiles it. */
function socketLine({ bpf: { compiled, cgroups } }: MachineFacts): Line {
  const line = { name: 'vip.bpf.o', value: 'virtual IPs at the socket' };
  if (!compiled) return { ...line, good: false, fix: `apt-get install ${socketPackages}` };
  if (cgroups) return { ...line, good: true };
  return {
    ...line,
    good: false,
    fix: 'mkdir -p /sys/fs/cgroup/unified; mount -t cgroup2 none /sys/fs/cgroup/unified',
  };
}

function portLine({ what, at, flag, problem }: PortState): Line {
  if (problem === undefined) return { good: true, name: at, value: what };
  // What runs already is nothing to mend.
  if (/ by Weir \(pid/.test(problem)) return { good: true, name: at, value: `${what}, ${problem}` };
  return { good: false, name: at, value: `${what}, ${problem}`, fix: `weir dev ${flag} HOST:PORT` };
}

function choiceLines({ runtime, network, vip }: Choices): string {
  const on = network.value === 'vxlan' ? 'vxlan between machines, host-gw on one' : 'loopback';
  return [
    choiceLine('containers', runtime.value, runtime.lacks),
    choiceLine('networks', on, network.lacks),
    choiceLine('virtual IPs', vip.value, vip.lacks),
  ].join('\n');
}

function choiceLine(name: string, value: string, lacks: readonly string[]): string {
  const because = lacks.length === 0 ? '' : ` (for want of ${lacks.join(', ')})`;
  return `  ${name.padEnd(11)}  ${value}${because}`;
}

/** Our own engine unless somebody asks for the other. */
function edgeLine({ haproxy }: MachineFacts): string {
  const other = haproxy === undefined ? 'is not installed: apt-get install haproxy' : `is here: ${haproxy}`;
  return choiceLine('edge', `builtin (--edge-engine haproxy ${other})`, []);
}

/** The commands that are left to type, in one. */
function verdict({ tools: found, facts }: Diagnosis): string {
  const missing = [
    ...found.filter(({ path }) => path === undefined).map((tool) => tool.package),
    ...(facts.bpf.compiled ? [] : [socketPackages]),
  ];
  if (missing.length > 0)
    return `Install what is missing: ${facts.root ? '' : 'sudo '}apt-get install ${missing.join(' ')}`;
  if (!facts.root) return 'Weir runs here as it is; with root it runs real containers: sudo ./weir dev';
  return 'Weir runs here: ./weir dev';
}
