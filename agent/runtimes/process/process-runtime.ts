import { mkdir, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Clock } from '../../../core/kit/clock.ts';
import { errorText } from '../../../core/kit/errors.ts';
import { fetchArtifacts } from '../../artifacts.ts';
import {
  type Container,
  type ContainerEnd,
  type ContainerExit,
  type ContainerId,
  type ContainerRuntime,
  type ContainerSpec,
  type ExecCommand,
  ExecFailed,
  type ExecResult,
  type LogLine,
  type LogOptions,
  NotRunning,
  StartFailed,
} from '../../runtime.ts';
import { isThere, readIfThere } from '../local/files.ts';
import { LocalContainers } from '../local/local-containers.ts';
import type { ContainerPaths } from '../local/paths.ts';
import { readMark, signalProcess } from '../local/process-mark.ts';
import { descendants } from '../local/process-tree.ts';
import { defaultPath, findProgram } from '../local/program.ts';
import { readLog } from '../local/read-log.ts';
import type { ContainerRecord } from '../local/records.ts';
import { runBounded } from '../local/run-bounded.ts';
import { isMonitored } from '../local/state.ts';
import { type Signals, stopContainer } from '../local/stop.ts';
import { linkVolumes } from './links.ts';
import { startMonitor } from './monitor.ts';
import { logFile, plainSources, trimLogs } from './plain-log.ts';
import { refuseWhatNeedsRoot } from './refusals.ts';

export type ProcessRuntimeOptions = {
  /** Records and sandboxes. Made if missing; belongs to one agent at a time. */
  readonly dataDir: string;
  readonly clock: Clock;
  /** A longer log is cut; one older file of that length is kept. Default 10 MiB. */
  readonly logBytes?: number;
};

/** Plain processes of the agent's own user, for machines without root. They share the machine's files and network. */
export class ProcessRuntime implements ContainerRuntime {
  readonly name = 'process';
  readonly #containers: LocalContainers;
  readonly #clock: Clock;

  constructor(options: ProcessRuntimeOptions) {
    this.#clock = options.clock;
    this.#containers = new LocalContainers({
      dataDir: resolve(options.dataDir),
      clock: options.clock,
      source: { leader: (record) => readMark(record.paths.leader), isHeld: async () => false },
      tendLog: (logDir) => trimLogs(logDir, options.logBytes ?? 10 * 1024 * 1024),
    });
  }

  list(): Promise<readonly Container[]> {
    return this.#containers.list();
  }

  async create(spec: ContainerSpec, signal?: AbortSignal): Promise<void> {
    refuseWhatNeedsRoot(spec);
    await this.#containers.records.add(spec, async (paths) => {
      await mkdir(paths.sandbox);
      await fetchArtifacts(spec.artifacts ?? [], paths.sandbox, signal);
      await linkVolumes(spec, paths.sandbox);
      await mkdir(spec.logDir, { recursive: true });
    });
  }

  async start(id: ContainerId): Promise<void> {
    const record = await this.#containers.get(id, 'start');
    await this.#containers.startOnce(record, async () => {
      if (!(await isMonitored(record))) await launch(record);
      await this.#untilExecuted(record);
    });
  }

  async stop(id: ContainerId, graceMs: number): Promise<ContainerEnd> {
    const record = await this.#containers.get(id, 'stop');
    return stopContainer(this.#containers, record, { graceMs, signals: signalsOf(record) });
  }

  async remove(id: ContainerId): Promise<void> {
    const record = await this.#containers.records.find(id);
    if (record === undefined) return;
    await stopContainer(this.#containers, record, { graceMs: 0, signals: signalsOf(record) });
    await this.#containers.records.remove(record);
  }

  async *exits(signal: AbortSignal): AsyncIterable<ContainerExit> {
    yield* this.#containers.exits(signal);
  }

  async exec(id: ContainerId, command: ExecCommand): Promise<ExecResult> {
    const record = await this.#containers.get(id, 'run a command in');
    if ((await this.#containers.state(record)).kind !== 'running')
      throw new NotRunning(id, 'run a command in');
    const result = await runBounded(command.argv, {
      cwd: record.paths.sandbox,
      env: { ...environmentOf(record.spec, record.paths), ...command.env },
      detached: true,
      timeoutMs: command.timeoutMs,
      kill: (pid) => process.kill(-pid, 'SIGKILL'),
    }).catch((error) => {
      throw new ExecFailed(id, errorText(error), error);
    });
    if (result.timedOut) throw new ExecFailed(id, `no end within ${command.timeoutMs} ms`);
    return { exitCode: result.exitCode, output: result.output };
  }

  /** The monitor goes on as soon as it has forked; signals before the program is executed would not reach it. */
  async #untilExecuted(record: ContainerRecord): Promise<void> {
    for (const giveUp = this.#clock.now() + execMs; this.#clock.now() < giveUp; ) {
      const leader = await readMark(record.paths.leader);
      const command = leader && (await readIfThere(`/proc/${leader.pid}/cmdline`));
      const forked = command?.includes('\0weir-monitor\0') || command?.startsWith(notYet);
      if (leader !== undefined ? !forked : !(await isMonitored(record))) return;
      await this.#clock.sleep(1);
    }
  }

  async *log(logDir: string, options: LogOptions): AsyncIterable<LogLine> {
    const sources = plainSources(logDir, options.stream);
    yield* readLog({ logDir, sources, clock: this.#clock }, options);
  }
}

/** A program may take the monitor's looks; it is waited for no longer than this. */
const execMs = 2_000;
/** The monitor's words for it while it is not yet the program. */
const notYet = 'setsid\0';

async function launch(record: ContainerRecord): Promise<void> {
  const { spec, paths } = record;
  const env = environmentOf(spec, paths);
  const cwd = resolve(paths.sandbox, spec.cwd ?? '.');
  if (!(await isThere(cwd))) throw new StartFailed(spec.id, `there is no directory ${cwd} on this machine`);
  const argv = spec.command.kind === 'argv' ? spec.command.argv : spec.command.args;
  const program = await findProgram(argv[0] ?? '', { path: env.PATH ?? defaultPath, cwd });
  if (program === undefined) throw new StartFailed(spec.id, `no program "${argv[0] ?? ''}" on this machine`);
  const stdout = await open(logFile(spec.logDir, 'stdout'), 'a');
  const stderr = await open(logFile(spec.logDir, 'stderr'), 'a');
  try {
    await startMonitor([program, ...argv.slice(1)], { paths, cwd, env, output: [stdout.fd, stderr.fd] });
  } catch (error) {
    if (await isMonitored(record)) return;
    throw new StartFailed(spec.id, errorText(error), error);
  } finally {
    await stdout.close();
    await stderr.close();
  }
}

/** Without a root file system of its own the sandbox is where it is on the machine. */
function environmentOf(spec: ContainerSpec, paths: ContainerPaths): Readonly<Record<string, string>> {
  return { PATH: defaultPath, MESOS_SANDBOX: paths.sandbox, ...spec.env };
}

function signalsOf(record: ContainerRecord): Signals {
  const send = async (signal: NodeJS.Signals) => {
    const leader = await readMark(record.paths.leader);
    if (leader === undefined) await endMonitor(record);
    else await signalProcess(leader, signal, { group: true });
  };
  return { terminate: () => send('SIGTERM'), kill: () => send('SIGKILL') };
}

/** Ends a monitor that a killed agent has left before the program was started, and the program it may just have forked. */
async function endMonitor(record: ContainerRecord): Promise<void> {
  const monitor = await readMark(record.paths.claim);
  if (monitor === undefined) return;
  await signalProcess(monitor, 'SIGSTOP');
  for (const mark of [...(await descendants(monitor)), monitor]) await signalProcess(mark, 'SIGKILL');
}
