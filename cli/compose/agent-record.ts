import { randomBytes } from 'node:crypto';
import { readFile, statfs, writeFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Agent as AgentRecord } from '../../core/model/agent.ts';
import { dnsLabel } from '../../core/model/name.ts';
import type { AgentSettings } from './agent-settings.ts';

/** The agent as it announces itself. */
export async function recordOf(
  settings: AgentSettings,
  id: string,
  consumers: readonly string[],
): Promise<AgentRecord> {
  const disk = await statfs(settings.dataDir);
  return {
    id,
    hostname: settings.hostname,
    address: settings.address,
    resources: {
      cpus: availableParallelism(),
      mem: Math.floor(totalmem() / 2 ** 20),
      disk: Math.floor((disk.bavail * disk.bsize) / 2 ** 20),
      gpus: 0,
      ...settings.resources,
    },
    ports: [settings.ports],
    attributes: { ...settings.attributes, ...(settings.isMaster ? { 'weir.master': 'true' } : {}) },
    edge: settings.edge !== undefined,
    ...(settings.edge?.engine === 'haproxy' ? { edgeEngine: 'haproxy' as const } : {}),
    runtime: settings.runtime,
    consumers,
    understands: ['draining'],
  };
}

/** An agent keeps its id, and with it its leases and instances, for as long as its data folder lives. */
export async function keptId(dataDir: string, hostname: string): Promise<string> {
  const path = join(dataDir, 'agent-id');
  const known = await readFile(path, 'utf8').catch(() => '');
  if (known.trim() !== '') return known.trim();
  const id = `${dnsLabel(hostname, 40)}-${randomBytes(4).toString('hex')}`;
  await writeFile(path, `${id}\n`);
  return id;
}
