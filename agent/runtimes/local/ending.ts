import { constants } from 'node:os';
import type { ContainerEnd } from '../../runtime.ts';
import { isThere, readIfThere, writeWhole, writtenAt } from './files.ts';
import type { ContainerRecord } from './records.ts';

/** What an exit record says: a monitor writes the exit code, a runtime what no monitor could know. */
type ExitRecord = number | 'lost' | 'unstarted';

/** The end on record, or undefined. */
export async function readEnd(record: ContainerRecord): Promise<ContainerEnd | undefined> {
  const { exit, oom, terminated } = record.paths;
  const text = await readIfThere(exit);
  const parsed = text === undefined ? undefined : parseExit(text);
  if (parsed === undefined) return undefined;
  const at = Math.round((await writtenAt(exit)) ?? 0);
  if (typeof parsed === 'string') return { at, oom: false, reason: unseen[parsed] };
  const asked = parsed === 137 && (await isThere(terminated));
  return describe(asked ? 143 : parsed, { at, oom: await isThere(oom), mem: record.spec.mem });
}

export async function recordUnseenEnd(record: ContainerRecord, how: 'lost' | 'unstarted'): Promise<void> {
  await writeWhole(record.paths.exit, how);
}

const unseen = {
  lost: 'its end was not seen: the machine or the monitor was stopped',
  unstarted: 'stopped before it was started',
};

function parseExit(text: string): ExitRecord | undefined {
  const trimmed = text.trim();
  if (trimmed === 'lost' || trimmed === 'unstarted') return trimmed;
  return /^-?\d+$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** From an exit code as shells count it. */
export function describe(
  exitCode: number,
  circumstances: { at: number; oom: boolean; mem: number },
): ContainerEnd {
  const { at, oom, mem } = circumstances;
  const signal = signalOf(exitCode);
  const reason = oom
    ? `killed: it wanted more memory than its ${mem} MiB`
    : signal === undefined
      ? `exit code ${exitCode}`
      : `ended by ${signal}`;
  return { at, exitCode, oom, reason, ...(signal === undefined ? {} : { signal }) };
}

function signalOf(exitCode: number): NodeJS.Signals | undefined {
  const found = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128);
  return found === undefined ? undefined : (found[0] as NodeJS.Signals);
}
