import type { Agent } from '../core/model/agent.ts';
import type { App } from '../core/model/app.ts';
import type { Constraint } from '../core/model/constraint.ts';
import type { AgentPresence } from '../core/state/presence.ts';
import { Replica } from '../core/state/snapshot.ts';
import { testAgent } from '../core/state/testing/agents.ts';
import { testApp } from '../core/state/testing/apps.ts';
import { plainRules } from '../scheduler/placement-rules.ts';
import type { World } from '../scheduler/world.ts';

export type Size = { readonly agents: number; readonly apps: number; readonly instances: number };

const now = Date.UTC(2026, 0, 1);

/** Machines of four sizes in a hundred racks (or a tenth of the fleet), four zones, every third with an ssd. */
export function machines({ agents }: Size): readonly Agent[] {
  const racks = Math.max(4, Math.min(100, Math.floor(agents / 10)));
  return Array.from({ length: agents }, (_, index) => {
    const cpus = [8, 16, 32, 64][(index * 7) % 4]!;
    return testAgent(`n${index}`, {
      address: '100.64.0.1',
      resources: { cpus, mem: cpus * 2048, disk: 100_000, gpus: index % 50 === 0 ? 4 : 0 },
      attributes: {
        rack: `r${index % racks}`,
        zone: `z${index % 4}`,
        ...(index % 3 === 0 ? { disk: 'ssd' } : {}),
      },
    });
  });
}

/** What an app's instances ask for; apps take these in turn. */
const rules: readonly (readonly Constraint[])[] = [
  [],
  [{ field: 'hostname', operator: 'UNIQUE' }],
  [{ field: 'zone', operator: 'GROUP_BY', value: '4' }],
  [{ field: 'rack', operator: 'GROUP_BY' }],
  [{ field: 'rack', operator: 'MAX_PER', value: '40' }],
  [{ field: 'disk', operator: 'LIKE', value: 'ssd|nvme' }],
  [
    { field: 'rack', operator: 'LIKE', value: 'r[1-3]' },
    { field: 'hostname', operator: 'MAX_PER', value: '20' },
  ],
  [
    { field: 'hostname', operator: 'UNIQUE' },
    { field: 'zone', operator: 'GROUP_BY', value: '4' },
  ],
  [
    { field: 'disk', operator: 'UNLIKE', value: 'ssd' },
    { field: 'hostname', operator: 'MAX_PER', value: '2' },
  ],
  [{ field: 'zone', operator: 'CLUSTER' }],
];

export function definitions({ apps, instances }: Size): readonly App[] {
  return Array.from({ length: apps }, (_, index) =>
    testApp(`/bench/app-${String(index).padStart(5, '0')}`, {
      instances: Math.round(instances / apps),
      cpus: [0.1, 0.25, 0.5, 1][(index * 3) % 4]!,
      mem: [64, 128, 512, 1024][(index * 5) % 4]!,
      disk: 10,
      constraints: rules[index % rules.length]!,
      portDefinitions: index % 2 === 0 ? [{ port: 0, protocol: 'tcp', labels: {} }] : [],
      version: '2026-01-01T00:00:00.000Z',
      versionInfo: {
        lastScalingAt: '2026-01-01T00:00:00.000Z',
        lastConfigChangeAt: '2026-01-01T00:00:00.000Z',
      },
    }),
  );
}

/** Tables with these agents and no app. */
export function replicaWith(agents: readonly Agent[]): Replica {
  const replica = new Replica();
  replica.apply({
    revision: 1,
    records: agents.map((agent) => ({ table: 'agents', key: agent.id, value: agent })),
  });
  return replica;
}

/** Every agent is heard of; ids and chance are reproducible. */
export function worldOf(replica: Replica): World {
  let [ids, state] = [0, replica.revision];
  const present: AgentPresence = { lastHeard: now, connected: true, acks: {}, inFlight: {} };
  return {
    snapshot: replica,
    presence: new Map([...replica.table('agents').keys()].map((id) => [id, present])),
    absentSince: () => undefined,
    now,
    leadingSince: now,
    uuid: () => `${replica.revision}-${++ids}`,
    random: () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    },
    limits: {
      drainLimitMs: 60_000,
      agentLostMs: 10_000,
      launchTimeoutMs: 300_000,
      placement: plainRules,
      waitForAcks: true,
    },
  };
}
