import { join } from 'node:path';
import type { Attacher } from '../../agent/attach.ts';
import type { MasterClient } from '../../api/client.ts';
import { createCni } from '../../cni/cni.ts';
import { createProcessExec } from '../../cni/process-exec.ts';
import type { Clock } from '../../core/kit/clock.ts';
import type { Log } from '../../core/kit/log.ts';
import { createHostGw } from '../../overlay/backends/host-gw.ts';
import { createLoopback } from '../../overlay/backends/loopback.ts';
import { createVxlan } from '../../overlay/backends/vxlan.ts';
import { createOverlayHost, ipamDirOf, type OverlayHost } from '../../overlay/host.ts';
import { createTools } from '../../overlay/tools.ts';
import type { AgentSettings } from './agent-settings.ts';

type OverlayParts = {
  dataDir: string;
  clock: Clock;
  log: Log;
  leaseOf: (network: string) => ReturnType<MasterClient['lease']>;
  id: string;
};

/** The networks of one machine: every backend, and CNI plugins where the settings name their folder. */
export function composeOverlay(
  settings: AgentSettings,
  { dataDir, clock, log, leaseOf, id }: OverlayParts,
): OverlayHost {
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

/** Containers are attached with the capability arguments that CNI plugins know. */
export function attacherOf(overlay: OverlayHost): Attacher {
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
