import type { VipAnswer, VipBackendInfo, VipFault, VipInfo, VipNodeInfo } from '../master/answers.ts';
import { styled } from '../show/style.ts';
import { table } from '../show/table.ts';
import { count } from '../show/words.ts';

/** Everything a person asks about the VIPs of one name. */
export function vipPage(answer: VipAnswer): string {
  const { vips, faults, nodes, revision } = answer;
  return [
    ...vips.map((vip) => `${head(vip)}\n\n${backendTable(vip, nodes)}`),
    ...(nodes.length === 0 ? [] : [nodeTable(nodes, revision)]),
    ...faults.map(faultLine),
  ].join('\n\n');
}

/** The same as sentences: what takes connections, what does not and why, and which machine has not got it yet. */
export function vipReasons({ vips, faults, nodes, revision }: VipAnswer): string {
  const late = nodes.filter((node) => node.problem !== undefined || node.revision < revision);
  return [
    ...vips.flatMap(reasons),
    ...nodes.flatMap(nodeReasons),
    ...late.map(
      ({ node, problem, revision: has }) =>
        `${node}: ${problem ?? `has revision ${has} in force, the newest is ${revision}`}.`,
    ),
    ...faults.map(faultLine),
  ].join('\n');
}

export function faultLine({ app, key, value, reason }: VipFault): string {
  return `${app}: the label ${key}=${value} declares nothing: ${reason}`;
}

function head({ vip, protocol, address, port, apps, balance, affinitySeconds, names }: VipInfo): string {
  const other = names.slice(1).map((name) => `, ${name}`);
  const way = affinitySeconds === undefined ? balance : `${balance}, a client stays for ${affinitySeconds} s`;
  return `${styled('bold', vip)}  ${protocol} ${address} port ${port}, ${way}, of ${apps.join(', ')}${other.join('')}`;
}

function backendTable({ backend, address, port, protocol }: VipInfo, nodes: readonly VipNodeInfo[]): string {
  if (backend.length === 0) return 'No instance runs: connections are refused at once.';
  const mine = nodes.flatMap(({ status }) => status?.services ?? []);
  const same = mine.filter((one) => one.key === `${protocol}:${address}:${port}`);
  const open = ({ ip, port: own }: VipBackendInfo) =>
    same.reduce((sum, service) => sum + (service.open[`${ip}:${own}`] ?? 0), 0);
  return table<VipBackendInfo>(
    [
      { head: 'BACKEND', of: ({ ip, port: own }) => `${ip}:${own}` },
      { head: 'INSTANCE', of: ({ instance }) => instance },
      { head: 'NODE', of: ({ node }) => node },
      { head: 'WEIGHT', right: true, of: ({ weight }) => String(weight) },
      { head: 'OPEN', right: true, of: (one) => String(open(one)) },
      { head: '', of: ({ because = '' }) => because },
    ],
    backend,
  );
}

function nodeTable(nodes: readonly VipNodeInfo[], revision: number): string {
  return table<VipNodeInfo>(
    [
      { head: 'NODE', of: ({ node }) => node },
      { head: 'BACKEND', of: ({ status }) => status?.backend ?? '-' },
      { head: 'REVISION', right: true, of: (node) => `${node.revision}/${revision}` },
      {
        head: 'TAKEN',
        right: true,
        of: ({ status }) =>
          String((status?.services ?? []).reduce((sum, { connections }) => sum + connections, 0)),
      },
      { head: '', of: ({ problem, status }) => problem ?? problemsOf(status).join('; ') },
    ],
    nodes,
  );
}

function reasons({ vip, address, backend, balance, affinitySeconds }: VipInfo): readonly string[] {
  const takes = backend.filter(({ weight }) => weight > 0);
  const share = takes.reduce((sum, { weight }) => sum + weight, 0);
  const first =
    takes.length === 0
      ? `${vip} (${address}) refuses every connection: ${backend.length === 0 ? 'no instance runs' : 'none of its instances is ready'}.`
      : `${vip} (${address}) leads to ${count(takes.length, 'backend')}, chosen by ${balance}:`;
  return [
    first,
    ...takes.map(
      (one) => `  ${place(one)} takes ${Math.round((one.weight / share) * 100)} % of new connections`,
    ),
    ...(affinitySeconds === undefined
      ? []
      : [`  a client's connections stay with one of them until it made none for ${affinitySeconds} s`]),
    ...backend
      .filter(({ weight }) => weight === 0)
      .map((one) => `  ${place(one)} takes none: ${one.because}`),
  ];
}

function place({ ip, port, instance, node }: VipBackendInfo): string {
  return `${ip}:${port} (${instance} on ${node})`;
}

function nodeReasons({ node, status }: VipNodeInfo): readonly string[] {
  return [...problemsOf(status), ...auditOf(status)].map((line) => `${node}: ${line}`);
}

/** Nothing found says something only with when it was looked for. */
function auditOf(status: VipNodeInfo['status']): readonly string[] {
  if (status?.audited === undefined) return [];
  const { agoMs, tookMs } = status.audited;
  const found = (status.drift ?? []).length === 0 ? ', all was as it should be' : '';
  return [`audited ${Math.round(agoMs / 1_000)} s ago in ${(tookMs / 1_000).toFixed(1)} s${found}.`];
}

function problemsOf(status: VipNodeInfo['status']): readonly string[] {
  return [
    ...(status?.services ?? []).flatMap(({ problem }) => problem ?? []),
    ...(status?.services ?? []).flatMap(({ key, balance = 'affinity with a time-out', chosenBy }) =>
      chosenBy === undefined
        ? []
        : `${key} is served by ${chosenBy}: ${status?.backend} cannot choose by ${balance}`,
    ),
    ...(status?.services ?? []).flatMap(({ key, ejected = [] }) =>
      ejected.map((target) => `${key} leaves ${target} alone, connections to it failed`),
    ),
    ...(status?.drift ?? []).map(({ what }) => `found by the last audit: ${what}`),
  ];
}
