import { readdir, readFile } from 'node:fs/promises';
import type { Clock } from '../core/kit/clock.ts';
import { errorCode } from '../core/kit/errors.ts';
import type { AttachmentKey } from './names.ts';

/** Milliseconds between two looks at a process that was killed, and how many looks. */
const LOOK_MS = 10;
const LOOKS = 500;

/** Kills every process whose environment says that it is a plugin at work on one of the attachments. */
export async function stopOrphans(keys: readonly AttachmentKey[], clock: Clock): Promise<void> {
  const wanted = new Set(keys.map(({ containerId, ifName }) => `${containerId}/${ifName}`));
  for (let look = 0; look < LOOKS; look += 1) {
    const pids = await workingOn(wanted);
    if (pids.length === 0) return;
    for (const pid of pids) kill(pid);
    await clock.sleep(LOOK_MS);
  }
}

async function workingOn(wanted: ReadonlySet<string>): Promise<number[]> {
  const pids: number[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)) {
    if (pid !== process.pid && wanted.has(await attachmentOf(pid))) pids.push(pid);
  }
  return pids;
}

async function attachmentOf(pid: number): Promise<string> {
  const env = new Map((await environ(pid)).split('\0').map(split));
  if (!env.has('CNI_COMMAND')) return '';
  return `${env.get('CNI_CONTAINERID')}/${env.get('CNI_IFNAME')}`;
}

/** Empty for a process that is gone, a zombie, or another user's. */
async function environ(pid: number): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}

function split(variable: string): [string, string] {
  const at = variable.indexOf('=');
  return [variable.slice(0, at), variable.slice(at + 1)];
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}
