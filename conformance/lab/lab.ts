import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '../../core/kit/errors.ts';
import { type RunOptions, type RunResult, tryRun } from '../../core/kit/exec.ts';
import {
  checkPlan,
  defaultSubnet,
  hostsOf,
  LabError,
  type LabHost,
  type LabPlan,
  netnsPath,
} from './names.ts';
import {
  endProcess,
  isAlive,
  type ProcessRecord,
  readRecord,
  readRecords,
  type StartOptions,
  startProcess,
} from './processes.ts';
import { namespacesOf, removeLab } from './teardown.ts';
import { buildUnderlay, isPlugged, plug } from './underlay.ts';

export { LabError, type LabHost, type LabPlan } from './names.ts';
export type { ProcessRecord, StartOptions } from './processes.ts';
export { type LabIdentity, leftovers, removeLab } from './teardown.ts';

export type LabHostStatus = LabHost & {
  readonly up: boolean;
  /** Its cable to the other hosts is out. */
  readonly cut: boolean;
  readonly processes: readonly (ProcessRecord & { readonly alive: boolean })[];
};

/** Hosts in network namespaces of one machine. Every method may be called from another process than the one that made the lab. */
export type Lab = {
  readonly plan: LabPlan;
  readonly hosts: readonly LabHost[];
  /** Builds the hosts. @throws LabError when the lab is there already, or without root */
  up(): Promise<void>;
  /** @throws LabError naming the hosts there are */
  host(name: string): LabHost;
  /** Runs a program in a host to its end, whatever the exit code. */
  exec(host: string, argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Starts a process in a host that outlives the caller; its output goes to `NAME.log` in the host's folder. */
  start(
    host: string,
    process: string,
    argv: readonly string[],
    options?: StartOptions,
  ): Promise<ProcessRecord>;
  /** Starts a process again that ended or was killed, as it was started before. */
  startAgain(host: string, process: string): Promise<ProcessRecord>;
  /** Default SIGKILL. For SIGKILL and SIGTERM: resolves when the process is gone. */
  kill(host: string, process: string, signal?: NodeJS.Signals): Promise<void>;
  /** Takes the host's cable out. */
  cut(host: string): Promise<void>;
  heal(host: string): Promise<void>;
  status(): Promise<readonly LabHostStatus[]>;
  /** Removes everything; may be repeated. */
  down(): Promise<void>;
};

export type LabOptions = {
  readonly name: string;
  /** Absolute; made by `up`, removed by `down`. */
  readonly dir: string;
  readonly hosts: number;
  /** Default 100.127.0.0/24. */
  readonly subnet?: string;
};

/** @throws LabError when the options cannot make a lab */
export function createLab({ name, dir, hosts, subnet = defaultSubnet }: LabOptions): Lab {
  const plan = { name, dir, hosts, subnet };
  checkPlan(plan);
  return labOf(plan);
}

/** The lab that `up` made in a folder. @throws LabError when there is none */
export async function openLab(dir: string): Promise<Lab> {
  try {
    const plan = JSON.parse(await readFile(planPath(dir), 'utf8')) as LabPlan;
    checkPlan(plan);
    return labOf({ ...plan, dir });
  } catch (error) {
    const reason = errorText(error);
    throw new LabError('WEIR_LAB_MISSING', `Cannot open the lab in ${dir}: ${reason}`, {
      cause: error,
      next: 'Make one with "weir lab up", or remove what is left of it with "weir lab down".',
    });
  }
}

function labOf(plan: LabPlan): Lab {
  const hosts = hostsOf(plan);

  function host(name: string): LabHost {
    const found = hosts.find((candidate) => candidate.name === name);
    if (found !== undefined) return found;
    const known = hosts.map((candidate) => candidate.name).join(', ');
    throw new LabError('WEIR_LAB_HOST', `Lab ${plan.name} has no host ${name} (its hosts: ${known})`);
  }

  async function record(hostName: string, process: string): Promise<ProcessRecord> {
    const found = await readRecord(host(hostName), process);
    if (found !== undefined) return found;
    throw new LabError(
      'WEIR_LAB_PROCESS',
      `Host ${hostName} of lab ${plan.name} never ran a process ${process}`,
    );
  }

  return {
    plan,
    hosts,
    host,
    async up() {
      checkAbsent(plan);
      await writePlan(plan);
      for (const { dir } of hosts) await mkdir(dir, { recursive: true });
      try {
        await buildUnderlay(plan);
      } catch (error) {
        await removeLab(plan);
        throw error;
      }
    },
    exec: (name, argv, options = {}) =>
      tryRun('nsenter', [`--net=${netnsPath(host(name).netns)}`, '--', ...argv], options),
    start: (name, process, argv, options) => startProcess(host(name), process, argv, options),
    async startAgain(name, process) {
      const { argv, env, cwd } = await record(name, process);
      return startProcess(host(name), process, argv, { env, cwd });
    },
    async kill(name, process, signal) {
      await endProcess(host(name), await record(name, process), signal === undefined ? {} : { signal });
    },
    cut: (name) => plug(plan.name, host(name), false),
    heal: (name) => plug(plan.name, host(name), true),
    status: () => Promise.all(hosts.map((each) => statusOf(plan, each))),
    down: () => removeLab(plan),
  };
}

async function statusOf(plan: LabPlan, host: LabHost): Promise<LabHostStatus> {
  const up = namespacesOf(plan.name).includes(host.netns);
  const cut = up && !(await isPlugged(plan.name, host).catch(() => false));
  const records = await readRecords(host);
  const processes = await Promise.all(records.map(async (each) => ({ ...each, alive: await isAlive(each) })));
  return { ...host, up, cut, processes };
}

function checkAbsent({ name }: LabPlan): void {
  if (process.getuid?.() !== 0)
    throw new LabError('WEIR_LAB_NEEDS_ROOT', `Cannot make lab ${name}: network namespaces need root`, {
      next: 'Run the command with sudo.',
    });
  const there = namespacesOf(name);
  if (there.length > 0)
    throw new LabError('WEIR_LAB_EXISTS', `Cannot make lab ${name}: ${there.join(', ')} exists`, {
      next: 'Remove it with "weir lab down", or choose another name.',
    });
}

/** Written before anything is made, so that a crash leaves a name to clean up by. */
async function writePlan(plan: LabPlan): Promise<void> {
  await mkdir(plan.dir, { recursive: true });
  await writeFile(`${planPath(plan.dir)}.tmp`, JSON.stringify(plan));
  await rename(`${planPath(plan.dir)}.tmp`, planPath(plan.dir));
}

function planPath(dir: string): string {
  return join(dir, 'lab.json');
}
