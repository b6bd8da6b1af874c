import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Agent } from '../../agent/agent.ts';
import { kernelNamespaces, type Namespaces, noNamespaces } from '../../agent/attach.ts';
import { checkedContainer } from '../../agent/containers.ts';
import { Journal } from '../../agent/journal.ts';
import { LogFolders } from '../../agent/log-folders.ts';
import { lookAt } from '../../agent/look.ts';
import { pollReadiness } from '../../agent/poll.ts';
import { probeInstance } from '../../agent/probe.ts';
import { type InstanceRecord, recordKey } from '../../agent/record.ts';
import type { ContainerRuntime } from '../../agent/runtime.ts';
import { ProcessRuntime } from '../../agent/runtimes/process/process-runtime.ts';
import { specsOf } from '../../agent/spec.ts';
import { VolumeFolders } from '../../agent/volumes.ts';
import { MasterClient } from '../../api/client.ts';
import type { Clock } from '../../core/kit/clock.ts';
import { WeirError } from '../../core/kit/errors.ts';
import type { Log } from '../../core/kit/log.ts';
import { Loop } from '../../core/kit/loop.ts';
import { Metrics } from '../../core/kit/metrics.ts';
import { type Part, startAll, stopAll } from '../../core/kit/part.ts';
import type { InstanceId } from '../../core/model/ids.ts';
import { DnsConsumer } from '../../dns/consumer.ts';
import { DnsHttpServer } from '../../dns/http-server.ts';
import { ReachableNames } from '../../dns/reachable-names.ts';
import { DevelopmentAuthority } from '../../lb/edge/tls/authority.ts';
import { NamespaceClaim } from '../../lb/vip/namespace-claim.ts';
import { answer } from './agent-answers.ts';
import { keptId, recordOf } from './agent-record.ts';
import type { AgentSettings } from './agent-settings.ts';
import { dcosHttp } from './dcos-http.ts';
import { dnsOptions, nodeOptions } from './dns-options.ts';
import { edgeOf, edgeParts, kernelPorts } from './edge.ts';
import { edgeStatistics } from './edge-statistics.ts';
import { givenJoinSecret } from './join-secret.ts';
import { nodeResolver } from './node-resolver.ts';
import { attacherOf, composeOverlay } from './overlay.ts';
import { secureResolver } from './secure-resolver.ts';
import { composeVips } from './vips.ts';

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
  const overlay = composeOverlay(settings, {
    dataDir,
    clock,
    log,
    leaseOf: (network) => master.lease(id, network),
    id,
  });
  const dns = new DnsConsumer({ clock, log }, dnsOptions(settings));
  const node = settings.runtime === 'runc' ? nodeResolver(nodeOptions(settings), { dns, log }) : undefined;
  const metrics = new Metrics();
  const vip = composeVips(settings, { dataDir, id, agent: () => agent, metrics, clock, log });
  const authority = new DevelopmentAuthority({ clock }, { folder: join(dataDir, 'authority') });
  const mapper = settings.vip === 'userspace' ? undefined : kernelPorts({ log, clock });
  const edges = edgeOf(settings, { id, dataDir, clock, log });
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
    (path, from) => dns.mesos(path, from),
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
  const { RuncRuntime } = await import('../../agent/runtimes/runc/runc-runtime.ts');
  return new RuncRuntime({
    dataDir,
    clock,
    ...(settings.scope === undefined ? {} : { scope: settings.scope }),
  });
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
