import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Agent } from '../../agent/agent.ts';
import { controlGroupScope } from '../../agent/runtimes/runc/scope.ts';
import type { Clock } from '../../core/kit/clock.ts';
import type { Log } from '../../core/kit/log.ts';
import type { Metrics } from '../../core/kit/metrics.ts';
import type { VipBackend } from '../../lb/vip/backend.ts';
import { EbpfVips } from '../../lb/vip/backends/ebpf/ebpf.ts';
import { BothFamilies } from '../../lb/vip/backends/nftables/both-families.ts';
import { NftablesVips } from '../../lb/vip/backends/nftables/nftables.ts';
import { UserspaceVips } from '../../lb/vip/backends/userspace/userspace.ts';
import { FirstThatStarts } from '../../lb/vip/first-that-starts.ts';
import { socketPrograms } from '../../lb/vip/socket-programs.ts';
import { VipConsumer } from '../../lb/vip/vip-consumer.ts';
import type { AgentSettings } from './agent-settings.ts';
import { AnswersAudit } from './audit/answers.ts';
import { InstancesAudit } from './audit/instances.ts';

/** `agent`: who runs it, known when the first audit asks. */
export type VipParts = {
  readonly dataDir: string;
  readonly id: string;
  readonly agent: () => Agent;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
};

/** Virtual IPs of one machine, with the audits of what they lead to. */
export function composeVips(settings: AgentSettings, parts: VipParts): VipConsumer {
  const { dataDir, id, agent, metrics, clock, log } = parts;
  return new VipConsumer({
    backend: vipBackendOf(settings, parts),
    log,
    clock,
    metrics,
    memory: fileMemory(join(dataDir, 'departed.json')),
    audits: [
      new AnswersAudit({
        at: settings.dns,
        directory: () => agent().directory,
        settled: (revision) => resolverHas(agent(), revision, clock),
        renew: () => renewed(agent(), clock),
      }),
      new InstancesAudit({
        agentId: id,
        directory: () => agent().directory,
        records: () => agent().instances.all.values(),
        report: () => agent().renew(),
      }),
    ],
  });
}

function vipBackendOf(settings: AgentSettings, { dataDir, clock, log }: VipParts): VipBackend {
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
