import { setTimeout as pause } from 'node:timers/promises';
import { WeirError } from '../../core/kit/errors.ts';
import { instanceOfTask } from '../../core/model/ids.ts';
import type { AppInfo, LogAnswer, LogLine, TaskInfo } from '../master/answers.ts';
import { Refused } from '../master/errors.ts';
import type { Master } from '../master/master.ts';

export type LogRequest = {
  readonly instance: string;
  /** Of a pod. */
  readonly container?: string;
  readonly stream: string;
  readonly tail: number;
};

const followEveryMs = 500;
/** Lines asked for each time while following: more than this between two looks are lost, which is said. */
const followTail = 2_000;

export function readLog(
  master: Master,
  { instance, stream, tail, container }: LogRequest,
): Promise<LogAnswer> {
  const query = { stream, tail, ...(container === undefined ? {} : { container }) };
  return master.get<LogAnswer>(`/v1/instances/${encodeURIComponent(instance)}/log`, { query });
}

/** Writes what an instance writes until it has ended. */
export async function followLog(
  master: Master,
  request: LogRequest,
  write: (lines: readonly LogLine[]) => void,
): Promise<void> {
  const tail = Math.max(followTail, request.tail);
  let known: readonly LogLine[] | undefined;
  for (;;) {
    const answer = await readLog(master, { ...request, tail }).catch(goneIf(known !== undefined));
    if (answer === undefined) return;
    const { lines, over } = answer;
    write(known === undefined ? lines.slice(-request.tail) : newLines(known, lines));
    if (over) return;
    known = lines;
    await pause(followEveryMs);
  }
}

/** What was there a moment ago and is nowhere now has ended, and its log is not kept. */
function goneIf(wasThere: boolean): (error: unknown) => undefined {
  return (error) => {
    if (!wasThere || !(error instanceof Refused) || error.status !== 404) throw error;
  };
}

/**
 * What `after` has beyond `before`, stream by stream: how the two streams were mixed is not known. The longest end of
 * `before` that `after` begins with is known already.
 */
export function newLines(before: readonly LogLine[], after: readonly LogLine[]): readonly LogLine[] {
  return (['stdout', 'stderr'] as const).flatMap((stream) => {
    const of = (lines: readonly LogLine[]) => lines.filter((line) => line.stream === stream);
    return newOfStream(of(before), of(after));
  });
}

function newOfStream(before: readonly LogLine[], after: readonly LogLine[]): readonly LogLine[] {
  if (before.length === 0) return after;
  for (let from = Math.max(0, before.length - after.length); from < before.length; from++) {
    const overlap = before.length - from;
    if (before.slice(from).every((line, index) => line.text === after[index]?.text))
      return after.slice(overlap);
  }
  return after.length === 0 ? [] : [missing, ...after];
}

const missing: LogLine = {
  stream: 'stderr',
  text: '(lines are missing here: they came faster than they were read)',
};

/** The instance meant by a task id, an instance id, the beginning of one, or an app that has just one. Throws when it is not clear. */
export async function findInstance(master: Master, given: string): Promise<string> {
  const exact = instanceOfTask(given);
  if (exact !== undefined && /instance-[0-9a-f-]{36}$/.test(exact)) return exact;
  const { tasks } = await master.get<{ tasks: readonly TaskInfo[] }>('/v2/tasks');
  const found = tasks.filter(({ id, appId }) => id.startsWith(given) || appId === given);
  const instances = [...new Set(found.map(({ id }) => instanceOfTask(id) ?? id))];
  if (instances.length === 1) return instances[0]!;
  const what = instances.length === 0 ? 'there is none' : `it may be any of ${instances.join(', ')}`;
  throw new WeirError('WEIR_NO_TASK', `Cannot find task ${given}: ${what}`, {
    next: 'See the tasks with "weir task list".',
  });
}

/** The instance of an app that failed last. Throws when none did. */
export async function lastFailed(master: Master, app: string): Promise<string> {
  const { lastTaskFailure } = (await master.get<{ app: AppInfo }>(`/v2/apps${app}`)).app;
  const instance = lastTaskFailure && instanceOfTask(lastTaskFailure.taskId);
  if (instance !== undefined) return instance;
  throw new WeirError('WEIR_NO_TASK', `Cannot find a failed task of ${app}: none failed`, {
    next: 'See the tasks that run with "weir task list".',
  });
}

/** The container that the id of a pod's task names (`shop_web.instance-….web.1`). */
export function containerIn(task: string): string | undefined {
  return /\.instance-[^_.]+\.([a-z0-9][-a-z0-9]*)(\.\d+)?$/.exec(task)?.[1];
}
