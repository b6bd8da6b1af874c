import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { LabError, type LabHost, netnsPath } from '../../conformance/lab/names.ts';
import { inLabVariable } from '../globals.ts';
import { masterHost, masterUrl, weirCommand } from './place.ts';

/** Runs a weir command on the lab's first host, whose master listens where this host cannot reach. Gives its exit code. */
export async function runInLab(name: string, words: readonly string[]): Promise<number> {
  const host = await masterHost(name);
  return runOnHost(host, weirCommand(...words), { WEIR_MASTER: masterUrl(host), [inLabVariable]: name });
}

/** Runs a program on a host of a lab with our own terminal; gives its exit code. */
export async function runOnHost(
  host: LabHost,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  if (process.getuid?.() !== 0)
    throw new LabError(
      'WEIR_LAB_NEEDS_ROOT',
      `Cannot enter host ${host.name}: network namespaces need root`,
      {
        next: 'Run the command with sudo.',
      },
    );
  const child = spawn('nsenter', [`--net=${netnsPath(host.netns)}`, '--', ...argv], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  // Ctrl-C reaches the child too; it decides, and we end with it.
  const ignore = () => {};
  process.on('SIGINT', ignore);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + constants.signals[signal ?? 'SIGKILL'];
  } finally {
    process.off('SIGINT', ignore);
  }
}
