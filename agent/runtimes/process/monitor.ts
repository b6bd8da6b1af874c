import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ContainerPaths } from '../local/paths.ts';

export type MonitorOptions = {
  readonly paths: ContainerPaths;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** File descriptors that become the program's standard output and error. */
  readonly output: readonly [number, number];
};

/** Resolves when the program runs (or another monitor has claimed the container). */
export async function startMonitor(program: readonly string[], options: MonitorOptions): Promise<void> {
  const { claim, leader, exit } = options.paths;
  const monitor = spawn('/bin/sh', ['-c', monitorScript, 'weir-monitor', claim, leader, exit, ...program], {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['ignore', ...options.output, 'pipe'],
  });
  const ended = once(monitor, 'exit');
  ended.catch(() => {});
  const told = await text(monitor.stdio[3] as Readable).catch(() => '');
  if (told.includes('started')) return monitor.unref();
  await ended;
  throw new Error('the monitor ended before the program was started');
}

/**
 * The monitor of one program, in POSIX shell because it must outlive the agent and cost next to nothing.
 * Arguments: claim, leader, exit, program…. File descriptor 3 tells the agent that the program has been started.
 *
 * It claims the container by a link, which appears whole or not at all (a second monitor finds it and leaves), runs the program in a session of its own, and
 * when the program ends, ends what is left of its process group and records the exit code. Program and monitor share no
 * group, and neither shares the agent's: a Ctrl-C or a kill of the agent's group reaches neither.
 */
const monitorScript = `
claim=$1 leader=$2 exit=$3
shift 3
read -r boot </proc/sys/kernel/random/boot_id
read -r stat </proc/$$/stat
mark=$claim.$$
printf '%s\\n%s\\n' "$boot" "$stat" 2>/dev/null >"$mark"
ln "$mark" "$claim" 2>/dev/null || { rm -f "$mark"; exit 75; }
rm -f "$mark"
setsid "$@" 3>&- </dev/null &
pid=$!
trap '' PIPE
exec 2>/dev/null >/dev/null
read -r stat </proc/$pid/stat
printf '%s\\n%s\\n' "$boot" "$stat" >"$leader.new" && mv "$leader.new" "$leader"
echo started >&3
exec 3>&-
wait "$pid"
code=$?
kill -9 -"$pid"
printf '%s' "$code" >"$exit.new" && mv "$exit.new" "$exit"
`;
