import { readdir } from 'node:fs/promises';
import { readIfThere } from './files.ts';
import { bootId, isAlive, type ProcessMark, parseStat } from './process-mark.ts';

/** The children of a process, theirs, and so on; parents first. */
export async function descendants(of: ProcessMark): Promise<readonly ProcessMark[]> {
  const children = await childrenOf(of.pid);
  const boot = await bootId();
  const marks = await Promise.all(
    children.map(async (pid): Promise<readonly ProcessMark[]> => {
      const stat = parseStat((await readIfThere(`/proc/${pid}/stat`)) ?? '');
      if (stat === undefined) return [];
      const mark = { pid, startTicks: stat.startTicks, bootId: boot };
      return [mark, ...(await descendants(mark))];
    }),
  );
  return marks.flat();
}

export async function anyAlive(marks: readonly ProcessMark[]): Promise<boolean> {
  return (await Promise.all(marks.map(isAlive))).includes(true);
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(threads.map((tid) => readIfThere(`/proc/${pid}/task/${tid}/children`)));
  return lists.flatMap((text) => (text ?? '').split(' ').filter(Boolean).map(Number));
}
