import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Counts } from './agents.ts';
import type { Ask } from './agents-process.ts';
import { api, until } from './weir.ts';

const program = fileURLToPath(new URL('../weir', import.meta.url));
const ticksPerSecond = 100;

/** A master of this clone with its data in `folder`, in a process of its own. Resolves as soon as it answers. */
export class MasterProcess {
  readonly #child: ChildProcess;

  constructor(folder: string, flags: readonly string[] = []) {
    const options = ['--api', new URL(api).host, '--data', folder, '--network-backend', 'loopback'];
    const env = { ...process.env, ...profiling() };
    this.#child = spawn(program, ['master', '--log-level', 'warn', ...options, ...flags], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env,
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async answers(): Promise<void> {
    await until(async () => (await fetch(`${api}/ping`)).ok, this.#child);
  }

  /** Seconds of a core so far. */
  get cpu(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }

  /** Resident MB; `most`: the highest so far. */
  get memory(): { rss: number; most: number } {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const megabytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
    return { rss: megabytes('VmRSS'), most: megabytes('VmHWM') };
  }

  /** MB, with each page that others share counted in part. */
  get proportional(): number {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/smaps_rollup`, 'utf8'))?.[1]) / 1024;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill(signal);
    await once(this.#child, 'exit');
  }
}

/** `WEIR_BENCH_PROFILE=FOLDER`: the master leaves a profile of its processor time there. */
function profiling(): Record<string, string> {
  const folder = process.env['WEIR_BENCH_PROFILE'];
  if (folder === undefined) return {};
  return { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${folder} --cpu-prof-interval=500` };
}

/** Simulated agents in a process of their own. */
export class AgentsProcess {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('agents-process.ts', import.meta.url)), [api], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });

  async arrive(count: number, consuming: number): Promise<void> {
    await this.#ask({ ask: 'arrive', count, consuming });
  }

  async counts(): Promise<Counts> {
    return (await this.#ask({ ask: 'counts' })).counts;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  async #ask(ask: Ask): Promise<{ counts: Counts }> {
    this.#child.send(ask);
    const done = new AbortController();
    const { signal } = done;
    const ended = once(this.#child, 'exit', { signal }).then(() => {
      throw new Error('the simulated agents ended');
    });
    try {
      const [answer] = await Promise.race([once(this.#child, 'message', { signal }), ended]);
      return answer;
    } finally {
      // Thousands of questions would leave as many listeners.
      ended.catch(() => {});
      done.abort();
    }
  }
}
