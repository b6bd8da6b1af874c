import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Agent } from '../agent/agent.ts';
import { type Attacher, kernelNamespaces, type Namespaces, noNamespaces } from '../agent/attach.ts';
import { checkedContainer } from '../agent/containers.ts';
import { Journal } from '../agent/journal.ts';
import { LogFolders } from '../agent/log-folders.ts';
import { lookAt } from '../agent/look.ts';
import { pollReadiness } from '../agent/poll.ts';
import { probeInstance } from '../agent/probe.ts';
import { type InstanceRecord, recordKey } from '../agent/record.ts';
import type { ContainerRuntime } from '../agent/runtime.ts';
import { ProcessRuntime } from '../agent/runtimes/process/process-runtime.ts';
import { controlGroupScope } from '../agent/runtimes/runc/scope.ts';
import { specsOf } from '../agent/spec.ts';
import { VolumeFolders } from '../agent/volumes.ts';
import { MasterClient } from '../api/client.ts';
import { createCni } from '../cni/cni.ts';
import { createProcessExec } from '../cni/process-exec.ts';
import type { Clock } from '../core/kit/clock.ts';
import { WeirError } from '../core/kit/errors.ts';
import type { Log } from '../core/kit/log.ts';
import { Loop } from '../core/kit/loop.ts';
import { Metrics } from '../core/kit/metrics.ts';
import { type Part, startAll, stopAll } from '../core/kit/part.ts';
import type { InstanceId } from '../core/model/ids.ts';
import { DnsConsumer } from '../dns/consumer.ts';
import { DnsHttpServer } from '../dns/http-server.ts';
import { ReachableNames } from '../dns/reachable-names.ts';
import type { EdgeConsumer } from '../lb/edge/consumer.ts';
import { HeldEdge } from '../lb/edge/held/held-edge.ts';
import { DevelopmentAuthority } from '../lb/edge/tls/authority.ts';
import type { VipBackend } from '../lb/vip/backend.ts';
import { EbpfVips } from '../lb/vip/backends/ebpf/ebpf.ts';
import { BothFamilies } from '../lb/vip/backends/nftables/both-families.ts';
import { NftablesVips } from '../lb/vip/backends/nftables/nftables.ts';
import { NftablesPorts } from '../lb/vip/backends/nftables/ports/nftables-ports.ts';
import { UserspaceVips } from '../lb/vip/backends/userspace/userspace.ts';
import { FirstThatStarts } from '../lb/vip/first-that-starts.ts';
import { NamespaceClaim } from '../lb/vip/namespace-claim.ts';
import { socketPrograms } from '../lb/vip/socket-programs.ts';
import { VipConsumer } from '../lb/vip/vip-consumer.ts';
import { createHostGw } from '../overlay/backends/host-gw.ts';
import { createLoopback } from '../overlay/backends/loopback.ts';
import { createVxlan } from '../overlay/backends/vxlan.ts';
import { createOverlayHost, ipamDirOf, type OverlayHost } from '../overlay/host.ts';
import { createTools } from '../overlay/tools.ts';
import { answer } from './agent-answers.ts';
import { keptId, recordOf } from './agent-record.ts';
import type { AgentSettings } from './agent-settings.ts';
import { AnswersAudit } from './audit/answers.ts';
import { InstancesAudit } from './audit/instances.ts';
import { composeEdge, type EdgeComposition } from './compose-edge.ts';
import { dcosHttp } from './dcos-http.ts';
import { dnsOptions, nodeOptions } from './dns-options.ts';
import { edgeStatistics } from './edge-statistics.ts';
import { givenJoinSecret } from './join-secret.ts';
import { nodeResolver } from './node-resolver.ts';
import { secureResolver } from './secure-resolver.ts';

export type ComposedAgent = Part & {
  readonly agent: Agent;
  readonly dns: DnsConsumer;
  /** The file to trust for HTTPS to this name; it is there when this resolves. Where there is an edge with HTTPS. */
  trustFor?(name: string): Promise<string>;
  /** New worker processes of the edge take over from the present ones, and nobody is refused. Where there is an edge. */
  replaceEdge?(): Promise<void>;
  /** Takes down all this agent made on the machine: containers, links, kernel tables. To be called while it does not run. */
  remove(): Promise<void>;
};

/** One machine of the cluster with the choices of its settings. */
export async function composeAgent(
  settings: AgentSettings,
  parts: { clock: Clock; log: Log },
): Promise<ComposedAgent> {
  const { clock, log } = parts;
  const dataDir = resolve(settings.dataDir);
  await mkdir(dataDir, { recursive: true });
  const id = settings.id ?? (await keptId(dataDir, settings.hostname));
  const given = await givenJoinSecret(dataDir);
  const { credentials, joinSecret = () => given } = settings;
  const master = new MasterClient(settings.masters, { credentials, joinSecret });
  const runtime = await runtimeOf(settings, dataDir, clock);
  const overlay = overlayOf(settings, {
    dataDir,
    clock,
    log,
    leaseOf: (network) => master.lease(id, network),
    id,
  });
  const dns = new DnsConsumer({ clock, log }, dnsOptions(settings));
  const node = settings.runtime === 'runc' ? nodeResolver(nodeOptions(settings), { dns, log }) : undefined;
  const metrics = new Metrics();
  const vip = new VipConsumer({
    backend: vipBackendOf(settings, dataDir, { clock, log }),
    log,
    clock,
    metrics,
    memory: fileMemory(join(dataDir, 'departed.json')),
    audits: [
      new AnswersAudit({
        at: settings.dns,
        directory: () => agent.directory,
        settled: (revision) => resolverHas(agent, revision, clock),
        renew: () => renewed(agent, clock),
      }),
      new InstancesAudit({
        agentId: id,
        directory: () => agent.directory,
        records: () => agent.instances.all.values(),
        report: () => agent.renew(),
      }),
    ],
  });
  const authority = new DevelopmentAuthority({ clock }, { folder: join(dataDir, 'authority') });
  const mapper = settings.vip === 'userspace' ? undefined : new NftablesPorts({ log, clock });
  const edges = edgeOf(settings, id, { dataDir, clock, log });
  const { edge } = edges;
  const names = new ReachableNames(dns, { failing: () => vip.ejected(), clock, log });
  const consumers = edge === undefined ? [names, vip] : [names, vip, edge];
  const logs = new LogFolders(join(dataDir, 'logs'));
  // Woken by each new log: for it older ones make room.
  const olderLogs = new Loop(() => logs.keepWithin(() => liveInstances(agent)), {
    name: 'logs of ended instances',
    clock,
    log,
  });
  const volumes = new VolumeFolders(join(dataDir, 'volumes'));
  const probed = ({ assignment, addresses }: InstanceRecord, container = recordKey(assignment)) => ({
    ...{ ...assignment, addresses, container },
    hostAddress: settings.address,
  });
  const agent = new Agent(
    {
      master,
      runtime,
      attacher: attacherOf(overlay),
      namespaces: settings.runtime === 'runc' ? kernelNamespaces : noNamespaces,
      namespaceName: (key) => namespaceName(settings.scope, `${dataDir} ${key}`),
      volumes,
      specsOf: async (assignment, record) => {
        olderLogs.wake();
        return specsOf(assignment, record, {
          hostname: settings.hostname,
          address: settings.address,
          nameserver: node?.nameserver ?? settings.address,
          resolvConf: await readFile('/etc/resolv.conf', 'utf8').catch(() => ''),
          isolates: settings.runtime === 'runc',
          logDir: (instance, container) => logs.path(instance, container),
          volume: (key, name) => volumes.path(key, name),
        });
      },
      networks: {
        set: (networks, leases) => overlay.update(networks, leases),
        recover: (valid) => overlay.recover(valid),
      },
      consumers,
      probe: (record, check, signal) =>
        probeInstance(runtime, probed(record, checkedContainer(record.assignment, check)), { check, signal }),
      poll: (record, check, signal) => pollReadiness(probed(record), { check, signal }),
      look: (record, check, signal) => lookAt(runtime, { instance: probed(record), check, signal }),
      answer: (question) => answer(question, { agent, runtime, dns, vip, edge, logs }),
      clock,
      log,
    },
    {
      record: await recordOf(
        settings,
        id,
        consumers.map((consumer) => consumer.name),
      ),
      dataDir,
    },
  );
  const mesosDns = new DnsHttpServer(
    (path) => dns.mesos(path),
    settings.dnsHttp,
    async () => metrics.text() + (await dns.metrics()) + ((await edge?.metrics()) ?? ''),
  );
  const claim = new NamespaceClaim(`process ${process.pid}, data in ${dataDir}`);
  const all: Part[] = [
    ...(settings.vip === 'userspace' ? [] : [claim]),
    overlay,
    dns,
    vip,
    names,
    ...edgeParts(edges, mapper),
    mesosDns,
    dcosHttp(settings.dcosHttp, { dns, metrics, log }),
    ...(edge === undefined || settings.edge?.stats === undefined
      ? []
      : [edgeStatistics(settings.edge.stats, { edge, renew: () => agent.renew() }, log)]),
    ...(node === undefined ? [] : [node]),
    ...secureParts(settings, { dns, authority, clock, log }),
    olderLogs,
    agent,
  ];
  return {
    agent,
    dns,
    ...(settings.edge?.https === undefined
      ? {}
      : {
          async trustFor(name: string) {
            await authority.certificate(name);
            return authority.certificateFile;
          },
        }),
    ...(edge === undefined ? {} : { replaceEdge: () => edge.replaceWorkers() }),
    start: () => startAll(all),
    stop: () => stopAll(all),
    remove: async () => {
      if (settings.vip !== 'userspace') await claim.start();
      for (const container of await runtime.list()) await runtime.remove(container.id);
      await volumes.keep(new Set());
      await overlay.start();
      await overlay.recover([]);
      const left = await overlay.clear();
      await vip.stop({ remove: true });
      await edges.held.end();
      await mapper?.stop();
      await node?.remove();
      await removeRecords(
        join(dataDir, 'instances'),
        settings.runtime === 'runc' ? kernelNamespaces : noNamespaces,
        log,
      );
      if (left.length > 0)
        throw new WeirError('WEIR_NETWORKS_LEFT', `Cannot remove the networks ${left.join(', ')}`, {
          next: 'The log in the data folder says why; "weir down" may be repeated.',
        });
    },
  };
}

async function removeRecords(folder: string, namespaces: Namespaces, log: Log): Promise<void> {
  const journal = new Journal(folder, log);
  for (const [key, record] of await journal.load()) {
    if (record.netns !== undefined) await namespaces.remove(record.netns);
    await journal.delete(key);
  }
}

/** Tells whose it is by its beginning, so that a lab finds what its agents left. */
function namespaceName(scope: string | undefined, unique: string): string {
  const hash = createHash('sha256').update(unique).digest('hex').slice(0, 12);
  return ['weir', ...(scope?.split('/') ?? []), hash].join('-');
}

async function runtimeOf(settings: AgentSettings, dataDir: string, clock: Clock): Promise<ContainerRuntime> {
  if (settings.runtime === 'process') return new ProcessRuntime({ dataDir, clock });
  const { RuncRuntime } = await import('../agent/runtimes/runc/runc-runtime.ts');
  return new RuncRuntime({
    dataDir,
    clock,
    ...(settings.scope === undefined ? {} : { scope: settings.scope }),
  });
}

type OverlayParts = {
  dataDir: string;
  clock: Clock;
  log: Log;
  leaseOf: (network: string) => ReturnType<MasterClient['lease']>;
  id: string;
};

function overlayOf(settings: AgentSettings, { dataDir, clock, log, leaseOf, id }: OverlayParts): OverlayHost {
  const routed = { tools: createTools(), ipamDir: ipamDirOf(dataDir) };
  const cni =
    settings.cniDir &&
    createCni({
      pluginDirs: [settings.cniDir],
      cacheDir: join(dataDir, 'cni'),
      exec: createProcessExec({ env: process.env }),
      log,
    });
  return createOverlayHost({
    agentId: id,
    agentAddress: settings.address,
    backends: [
      createVxlan(routed),
      createHostGw(routed),
      createLoopback({ dir: join(dataDir, 'addresses') }),
    ],
    dataDir,
    leaseOf,
    clock,
    log,
    ...(cni ? { cni } : {}),
  });
}

function attacherOf(overlay: OverlayHost): Attacher {
  return {
    async attach({ portMappings, ...request }, signal) {
      const capabilityArgs =
        portMappings.length === 0
          ? {}
          : { capabilityArgs: { portMappings: portMappings.map((mapping) => ({ ...mapping })) } };
      return overlay.attach({ ...request, ...capabilityArgs }, signal);
    },
    detach: (attachment) => overlay.detach(attachment),
  };
}

async function resolverHas(agent: Agent, revision: number, clock: Clock): Promise<boolean> {
  const has = () => (agent.acks['dns'] ?? 0) >= revision;
  for (let turn = 0; turn < 40 && !has(); turn++) await clock.sleep(50);
  return has();
}

/** Waits for it a moment: who audits wants to look again. */
async function renewed(agent: Agent, clock: Clock): Promise<void> {
  agent.renew();
  for (let turn = 0; turn < 40 && !agent.inForce; turn++) await clock.sleep(50);
}

/** What draining must not forget over a restart, in a file that is replaced as a whole. */
function fileMemory(path: string) {
  return {
    read: () => readFile(path, 'utf8').catch(() => undefined),
    async write(text: string) {
      await writeFile(`${path}.new`, text);
      await rename(`${path}.new`, path);
    },
  };
}

function vipBackendOf(
  settings: AgentSettings,
  dataDir: string,
  { clock, log }: { clock: Clock; log: Log },
): VipBackend {
  if (settings.vip === 'userspace') return new UserspaceVips({ clock, log, random: Math.random });
  const kernel = new BothFamilies(
    new NftablesVips({ log, clock }, { ranges: [settings.vipRange] }),
    new NftablesVips({ log, clock }, { family: 6, ranges: settings.vipRange6 ? [settings.vipRange6] : [] }),
  );
  const containers =
    settings.runtime === 'runc' ? [`weir/${controlGroupScope(dataDir, settings.scope)}`] : [];
  const sockets = new EbpfVips({ log, kernel }, { object: socketPrograms, containers });
  const ebpf = { backend: sockets, leave: () => sockets.removePrograms() };
  const nftables = { backend: kernel };
  return new FirstThatStarts(settings.vip === 'ebpf' ? [ebpf, nftables] : [nftables, ebpf], log);
}

/** In a process of its own, which outlives this one, where the settings say so; what it writes to our output cannot be there. */
function edgeOf(
  settings: AgentSettings,
  agentId: string,
  { dataDir, clock, log }: { dataDir: string; clock: Clock; log: Log },
): { readonly edge: EdgeConsumer | HeldEdge | undefined; readonly held: HeldEdge } {
  const { edge, vip } = settings;
  const kernel = vip !== 'userspace';
  const composition: EdgeComposition | undefined = edge && { dataDir, agentId, kernel, edge };
  const entry = new URL('./edge-process.ts', import.meta.url);
  const held = new HeldEdge(
    { clock, log },
    { folder: dataDir, entry, settings: JSON.stringify(composition ?? {}) },
  );
  if (composition === undefined) return { edge: undefined, held };
  const stays = (edge?.staysMs ?? 0) > 0 && edge?.accessLog?.file !== '-';
  return { edge: stays ? held : composeEdge(composition, { clock, log }), held };
}

/** The edge, after one that another agent of this folder held and that is not wanted any more. */
function edgeParts(
  { edge, held }: ReturnType<typeof edgeOf>,
  mapper: NftablesPorts | undefined,
): readonly Part[] {
  if (edge === held) return [held];
  const noOther: Part = { start: () => held.end(), async stop() {} };
  return [noOther, ...(edge === undefined ? noMappedPorts(mapper) : [edge])];
}

/** What an edge left that died here, and is no edge any more. */
function noMappedPorts(mapper: NftablesPorts | undefined): readonly Part[] {
  return mapper === undefined ? [] : [{ start: () => mapper.stop(), async stop() {} }];
}

/** The name server's own name is what a client of DNS over TLS verifies. */
function secureParts(
  { dnsSettings }: AgentSettings,
  parts: Parameters<typeof secureResolver>[2],
): readonly Part[] {
  if (dnsSettings?.secure === undefined) return [];
  const name = `ns1.${dnsSettings.zone.mesosDomain ?? 'mesos'}`;
  return [secureResolver(dnsSettings.secure, name, parts)];
}

/** Instances whose containers are still there: their logs are being written. */
function liveInstances(agent: Agent): ReadonlySet<InstanceId> {
  const live = [...agent.instances.all.values()].filter(({ cleaned }) => !cleaned);
  return new Set(live.map(({ assignment }) => assignment.placement.instanceId));
}
