import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../core/kit/errors.ts';
import type { Lease, Network } from '../core/model/network.ts';

/** What the cluster wants, as this agent last heard, and what this host has for it. */
export type Plan = {
  readonly networks: readonly Network[];
  /** Of all networks and agents. */
  readonly leases: readonly Lease[];
  /** Networks that were begun on this host, as they were then: what has to be removed when they are no longer wanted. */
  readonly installed: readonly Network[];
};

const emptyPlan: Plan = { networks: [], leases: [], installed: [] };

/** The plan in memory and on disk. */
export type PlanFile = {
  readonly value: Plan;
  /** In memory at once; on disk after `save`. */
  change(next: (plan: Plan) => Plan): void;
  /** Whole or not at all; does nothing when the disk has it. */
  save(): Promise<void>;
  /** An agent that starts while no master answers goes on with the plan of its last run. What it was told since it started counts more. */
  load(): Promise<void>;
};

export function createPlanFile(path: string): PlanFile {
  let plan = emptyPlan;
  let saved: Plan | undefined;
  return {
    get value() {
      return plan;
    },
    change(next) {
      plan = next(plan);
    },
    async save() {
      const now = plan;
      if (saved === now) return;
      await writePlan(path, now);
      saved = now;
    },
    async load() {
      const read = await readPlan(path);
      plan = plan === emptyPlan ? read : { ...plan, installed: read.installed };
    },
  };
}

async function readPlan(path: string): Promise<Plan> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Plan;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return emptyPlan;
    throw error;
  }
}

async function writePlan(path: string, plan: Plan): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.tmp`, JSON.stringify(plan), { flush: true });
  await rename(`${path}.tmp`, path);
}

/** The plan with this agent's lease of a network in it. */
export function withLease(plan: Plan, lease: Lease): Plan {
  const others = plan.leases.filter(
    ({ network, agentId }) => network !== lease.network || agentId !== lease.agentId,
  );
  return { ...plan, leases: [...others, lease] };
}

export function withInstalled(plan: Plan, network: Network): Plan {
  return { ...plan, installed: [...withoutInstalled(plan, network.name).installed, network] };
}

export function withoutInstalled(plan: Plan, name: string): Plan {
  return { ...plan, installed: plan.installed.filter((network) => network.name !== name) };
}

/** Installed networks that are not wanted any more, or are another network under the same name now. */
export function obsolete({ networks, installed }: Plan): readonly Network[] {
  return installed.filter((old) => {
    const now = networks.find(({ name }) => name === old.name);
    return now === undefined || now.cidr !== old.cidr || now.backend !== old.backend;
  });
}
