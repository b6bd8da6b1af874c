import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { ContainerPaths } from '../local/paths.ts';

export type Programs = { readonly runc: string; readonly conmon: string };

export type MonitorOptions = {
  readonly paths: ContainerPaths;
  readonly programs: Programs;
  /** runc's --root. */
  readonly runcRoot: string;
  readonly exits: string;
  readonly logFile: string;
  readonly logBytes: number;
  /** The container's layer is kept in memory. */
  readonly layerInMemory: boolean;
};

/**
 * One chain of exec, so that the process that claims the container becomes its monitor:
 * a shell claims, by a link, which appears whole or not at all; unshare gives it mounts that nobody else sees and that vanish with the last process in them, so that
 * no kill leaves one behind; the overlay is mounted there; conmon runs `runc create` and stays.
 * Arguments: claim, 1 for a layer in memory, conmon…. Runs in the container's directory.
 */
const chain = `
read -r boot </proc/sys/kernel/random/boot_id
read -r stat </proc/$$/stat
mark=$1.$$
printf '%s\\n%s\\n' "$boot" "$stat" 2>/dev/null >"$mark"
ln "$mark" "$1" 2>/dev/null || { rm -f "$mark"; exit 75; }
rm -f "$mark"
shift
exec unshare --mount --propagation slave /bin/sh -c '
if [ "$1" = 1 ]; then mount -t tmpfs -o mode=700 weir layer && mkdir layer/upper layer/work || exit 1; fi
shift
mount -t overlay -o lowerdir=lower,upperdir=layer/upper,workdir=layer/work weir root || exit 1
exec "$@"' weir-monitor "$@"
`;

/** Resolves with the number of the first process, which waits for "runc start". Throws with runc's or mount's words. */
export async function startMonitor(options: MonitorOptions): Promise<number> {
  const words = await open(join(options.paths.dir, 'monitor.log'), 'a', 0o600);
  try {
    const monitor = spawn('/bin/sh', ['-c', chain, 'weir-monitor', ...argumentsOf(options)], {
      cwd: options.paths.dir,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', _OCI_SYNCPIPE: '3' },
      detached: true,
      stdio: ['ignore', words.fd, words.fd, 'pipe'],
    });
    const ended = once(monitor, 'exit');
    ended.catch(() => {});
    const pid = await createdPid(monitor.stdio[3] as Readable).catch(async (error) => {
      await ended;
      throw error;
    });
    monitor.unref();
    return pid;
  } finally {
    await words.close();
  }
}

function argumentsOf(options: MonitorOptions): readonly string[] {
  const { paths, programs, runcRoot, exits, logFile, logBytes, layerInMemory } = options;
  const conmon = [
    [programs.conmon, '--sync', '--full-attach', '--no-new-keyring', '--no-sync-log'],
    ['--cid', paths.name, '--cuuid', paths.name, '--name', paths.name],
    ['--runtime', programs.runc, '--runtime-arg', `--root=${runcRoot}`, '--bundle', paths.dir],
    ['--container-pidfile', join(paths.dir, 'pidfile'), '--exit-dir', exits, '--persist-dir', paths.dir],
    ['--log-path', `k8s-file:${logFile}`, '--log-size-max', String(logBytes), '--log-level', 'error'],
  ].flat();
  return [paths.claim, layerInMemory ? '1' : '0', ...conmon];
}

/** conmon reports one line of JSON: the process number, or -1 and what runc said. */
async function createdPid(pipe: Readable): Promise<number> {
  for await (const line of createInterface({ input: pipe })) {
    const report = parseReport(line);
    pipe.destroy();
    if (report.pid > 0) return report.pid;
    throw new Error(report.words);
  }
  throw new Error('the monitor ended before the container was created');
}

/** conmon names the number `pid` or, in later versions of its interface, `data`. */
function parseReport(line: string): { pid: number; words: string } {
  const report = JSON.parse(line) as { pid?: number; data?: number; message?: string };
  return { pid: report.pid ?? report.data ?? -1, words: report.message ?? line };
}
