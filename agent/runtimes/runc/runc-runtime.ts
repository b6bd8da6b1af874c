import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '../../../core/kit/clock.ts';
import { errorText } from '../../../core/kit/errors.ts';
import { run } from '../../../core/kit/exec.ts';
import { Images } from '../../images.ts';
import { isOnOverlay } from '../../rootfs.ts';
import {
  type Container,
  type ContainerEnd,
  type ContainerExit,
  type ContainerId,
  ContainerRefused,
  type ContainerRuntime,
  type ContainerSpec,
  type ExecCommand,
  type ExecResult,
  type LogLine,
  type LogOptions,
  NotRunning,
  StartFailed,
} from '../../runtime.ts';
import { readEnd } from '../local/ending.ts';
import { isThere, readIfThere } from '../local/files.ts';
import { LocalContainers } from '../local/local-containers.ts';
import { exitsDir } from '../local/paths.ts';
import { readMark, signalProcess } from '../local/process-mark.ts';
import { anyAlive, descendants } from '../local/process-tree.ts';
import { defaultPath, findProgram } from '../local/program.ts';
import { readLog } from '../local/read-log.ts';
import type { ContainerRecord } from '../local/records.ts';
import { isMonitored } from '../local/state.ts';
import { type Signals, stopContainer } from '../local/stop.ts';
import { writeBundle } from './bundle.ts';
import { cgroupFacts, removeCgroup, removeEmptyScope } from './cgroups.ts';
import { conmonSources, keepFullLog, logFile } from './conmon-log.ts';
import { leaderOf, noteLeader } from './leader.ts';
import { type Programs, startMonitor } from './monitor.ts';
import { runcExec } from './runc-exec.ts';
import { controlGroupScope } from './scope.ts';
import { terminate } from './terminate.ts';

export type RuncRuntimeOptions = {
  /** Records, layers, images, sandboxes and runc's own state. Made if missing; belongs to one agent at a time. */
  readonly dataDir: string;
  readonly clock: Clock;
  /** Default: as PATH has them. */
  readonly programs?: Programs;
  /** Name below /weir in the cgroup tree. Default: derived from `dataDir`. */
  readonly scope?: string;
  /** A longer log is started anew; one older file of that length is kept. Default 10 MiB. */
  readonly logBytes?: number;
};

/** Containers by runc, each under a conmon that outlives the agent. Needs root. */
export class RuncRuntime implements ContainerRuntime {
  readonly name = 'runc';
  readonly #dataDir: string;
  readonly #runcRoot: string;
  readonly #clock: Clock;
  readonly #programs: Programs;
  readonly #scope: string;
  readonly #logBytes: number;
  readonly #containers: LocalContainers;
  readonly #images: Images;
  #execs = 0;

  constructor(options: RuncRuntimeOptions) {
    this.#dataDir = resolve(options.dataDir);
    this.#runcRoot = join(this.#dataDir, 'runc');
    this.#clock = options.clock;
    this.#programs = options.programs ?? { runc: 'runc', conmon: 'conmon' };
    this.#scope = controlGroupScope(this.#dataDir, options.scope);
    this.#logBytes = options.logBytes ?? 10 * 1024 * 1024;
    this.#images = new Images({ dir: join(this.#dataDir, 'images') });
    this.#containers = new LocalContainers({
      dataDir: this.#dataDir,
      clock: this.#clock,
      source: {
        leader: (record) => leaderOf(record, this.#runcRoot),
        isHeld: (record) => this.#isHeld(record),
      },
      tendLog: keepFullLog,
    });
  }

  list(): Promise<readonly Container[]> {
    return this.#containers.list();
  }

  async create(spec: ContainerSpec, signal?: AbortSignal): Promise<void> {
    const cgroups = await cgroupFacts();
    const { version, limitsSwap } = cgroups;
    if (version === undefined || !cgroups.writable)
      throw new ContainerRefused(
        spec.id,
        'this machine does not let the agent make cgroups under /sys/fs/cgroup',
      );
    await this.#containers.records.add(spec, async (paths) => {
      const image = spec.rootfs.kind === 'image' ? await this.#images.get(spec.rootfs, signal) : undefined;
      await mkdir(spec.logDir, { recursive: true });
      const cgroup = { path: `/weir/${this.#scope}/${paths.name}`, version, limitsSwap };
      const dataDir = this.#dataDir;
      await writeBundle({ spec, paths, image, dataDir, cgroup, ...(signal && { signal }) });
    });
  }

  async start(id: ContainerId): Promise<void> {
    const record = await this.#containers.get(id, 'start');
    await this.#containers.startOnce(record, () => this.#launch(record));
  }

  async stop(id: ContainerId, graceMs: number): Promise<ContainerEnd> {
    const record = await this.#containers.get(id, 'stop');
    return stopContainer(this.#containers, record, { graceMs, signals: this.#signals(record) });
  }

  async remove(id: ContainerId): Promise<void> {
    const record = await this.#containers.records.find(id);
    if (record === undefined) return;
    await stopContainer(this.#containers, record, { graceMs: 0, signals: this.#signals(record) });
    await this.#forget(record);
    await this.#containers.records.remove(record);
    const left = await this.#containers.records.list();
    if (left.length === 0) await removeEmptyScope(this.#scope);
  }

  async *exits(signal: AbortSignal): AsyncIterable<ContainerExit> {
    yield* this.#containers.exits(signal);
  }

  async exec(id: ContainerId, command: ExecCommand): Promise<ExecResult> {
    const record = await this.#containers.get(id, 'run a command in');
    const state = await this.#containers.state(record);
    if (state.kind !== 'running') throw new NotRunning(id, 'run a command in');
    this.#execs += 1;
    return runcExec(record, { runc: this.#runc, command, token: `${process.pid}-${this.#execs}` });
  }

  async *log(logDir: string, options: LogOptions): AsyncIterable<LogLine> {
    yield* readLog({ logDir, sources: conmonSources(logDir), clock: this.#clock }, options);
  }

  get #runc(): readonly [string, ...string[]] {
    return [this.#programs.runc, '--root', this.#runcRoot];
  }

  /** runc keeps the pipe until the first process has been let go. */
  async #isHeld(record: ContainerRecord): Promise<boolean> {
    const gate = join(this.#runcRoot, record.paths.name, 'exec.fifo');
    return !(await isThere(startedFileOf(record))) || isThere(gate);
  }

  async #launch(record: ContainerRecord): Promise<void> {
    try {
      // What a killed agent left half made is made anew: its monitor may be about to find that nobody listens, and end.
      if (await isThere(record.paths.claim)) await this.#forget(record);
      await this.#monitor(record);
      await writeFile(startedFileOf(record), '');
      const [runc, ...options] = this.#runc;
      await run(runc, [...options, 'start', record.paths.name]);
      await this.#untilExecuted(record);
    } catch (error) {
      if ((await readEnd(record)) !== undefined) return;
      await this.#forget(record);
      throw new StartFailed(record.spec.id, runcWords(errorText(error)), error);
    }
  }

  async #monitor(record: ContainerRecord): Promise<void> {
    const { spec, paths } = record;
    const options = {
      paths,
      programs: { runc: await pathOf(this.#programs.runc), conmon: await pathOf(this.#programs.conmon) },
      runcRoot: this.#runcRoot,
      exits: exitsDir(this.#dataDir),
      logFile: logFile(spec.logDir),
      logBytes: this.#logBytes,
      layerInMemory: await isOnOverlay(paths.dir),
    };
    const pid = await startMonitor(options).catch(async (error) => {
      // The monitor of an agent that was killed just now may have claimed the container first.
      if (!(await isMonitored(record))) throw await withMonitorWords(record, error);
      await this.#forget(record);
      return startMonitor(options);
    });
    await noteLeader(record, pid);
  }

  /** `runc start` is done a moment before the first process has become the program; signals would be lost on it. */
  async #untilExecuted(record: ContainerRecord): Promise<void> {
    const leader = await leaderOf(record, this.#runcRoot);
    if (leader === undefined) return;
    const isRunc = async () => (await readIfThere(`/proc/${leader.pid}/cmdline`))?.startsWith('runc\0init\0');
    const giveUp = this.#clock.now() + execMs;
    while (this.#clock.now() < giveUp && (await isRunc())) await this.#clock.sleep(1);
  }

  #signals(record: ContainerRecord): Signals {
    return {
      terminate: async (signal) => {
        const leader = await leaderOf(record, this.#runcRoot);
        const beforeKill = () => writeFile(record.paths.terminated, '');
        if (leader !== undefined) await terminate(leader, { clock: this.#clock, signal, beforeKill });
      },
      kill: async () => {
        const leader = (await leaderOf(record, this.#runcRoot)) ?? (await readMark(record.paths.claim));
        if (leader !== undefined) await signalProcess(leader, 'SIGKILL');
      },
    };
  }

  /** Takes away what runc and the kernel hold and what says that a start was begun; kills what runs. */
  async #forget(record: ContainerRecord): Promise<void> {
    const { dir, name, claim, leader } = record.paths;
    await this.#endMonitor(record);
    if (await isThere(join(this.#runcRoot, name))) {
      const [runc, ...options] = this.#runc;
      await run(runc, [...options, 'delete', '--force', name]);
    }
    await removeCgroup(this.#scope, name, this.#clock);
    // runc refuses to write a pidfile that a killed one has begun.
    const files = [leader, startedFileOf(record), join(dir, '.pidfile'), join(dir, 'pidfile'), claim];
    for (const file of files) await rm(file, { force: true });
  }

  /** It ends by itself after its container; one that is still making it is ended with all it began. */
  async #endMonitor(record: ContainerRecord): Promise<void> {
    const monitor = await readMark(record.paths.claim);
    if (monitor === undefined) return;
    const ended = (await readEnd(record))?.exitCode !== undefined;
    const all = ended ? [monitor] : [monitor, ...(await descendants(monitor))];
    if (!ended) for (const mark of all) await signalProcess(mark, 'SIGKILL');
    while (await anyAlive(all)) await this.#clock.sleep(1);
  }
}

/** A program may look like runc; it is waited for no longer than this. */
const execMs = 2_000;

/** Written before the first process is let go: without it the program has never run. */
function startedFileOf(record: ContainerRecord): string {
  return join(record.paths.dir, 'started');
}

/** conmon takes no bare names. */
async function pathOf(program: string): Promise<string> {
  const path = `${process.env.PATH ?? ''}:${defaultPath}`;
  const found = await findProgram(program, { path, cwd: '/' });
  if (found === undefined) throw new Error(`${program} is not installed on this machine`);
  return found;
}

/** What mount or unshare said, when it did not come to runc. */
async function withMonitorWords(record: ContainerRecord, error: unknown): Promise<Error> {
  const words = ((await readIfThere(join(record.paths.dir, 'monitor.log'))) ?? '').trim();
  return new Error([errorText(error), words].filter(Boolean).join(': '), { cause: error });
}

/** runc logs `time=… level=error msg="runc create failed: …"`; the message is what a person needs. */
export function runcWords(text: string): string {
  const messages = [...text.matchAll(/msg="((?:[^"\\]|\\.)*)"/g)].map((match) =>
    match[1]!.replaceAll('\\"', '"'),
  );
  return messages.at(-1) ?? text.trim();
}
