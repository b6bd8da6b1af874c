import { type Command, Option } from 'commander';
import { appId } from '../app/id.ts';
import { group, leaf, print, printJson, sessionOf } from '../globals.ts';
import type { LogLine, TaskInfo } from '../master/answers.ts';
import { wholeNumber } from '../options/numbers.ts';
import { taskTable } from '../task/list.ts';
import { containerIn, findInstance, followLog, lastFailed, readLog } from '../task/log.ts';

export function register(program: Command): void {
  const task = group(program, 'task', 'look at running instances and what they write');
  leaf(task, 'list', 'list the tasks of all apps, or of one').argument('[app]').action(list);
  leaf(task, 'log', 'print what a task wrote')
    .argument('<task>', 'id of a task, the beginning of it, or an app with one task')
    .addOption(new Option('--stream <name>', 'which').choices(['stdout', 'stderr', 'both']).default('both'))
    .option('--tail <lines>', 'how many of the newest lines', wholeNumber, 100)
    .option('--container <name>', 'of a pod, which of its containers')
    .option('--failed', 'of an app: what the task wrote that failed last')
    .option('-f, --follow', 'go on with what it writes')
    .action(log);
}

async function list(app: string | undefined, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const path = app === undefined ? '/v2/tasks' : `/v2/apps${appId(app)}/tasks`;
  const answer = await master.get<{ tasks: readonly TaskInfo[] }>(path);
  if (json) return printJson(answer);
  if (answer.tasks.length === 0) return print('No tasks.');
  print(taskTable(answer.tasks, { now: Date.now(), withApp: app === undefined }));
}

type LogOptions = {
  readonly stream: string;
  readonly tail: number;
  readonly container?: string;
  readonly follow?: true;
  readonly failed?: true;
};

async function log(task: string, options: LogOptions, command: Command): Promise<void> {
  const { stream, tail, follow, failed, container = containerIn(task) } = options;
  const { master, json } = sessionOf(command);
  const request = {
    instance: await (failed === true ? lastFailed(master, appId(task)) : findInstance(master, task)),
    stream,
    tail,
    ...(container === undefined ? {} : { container }),
  };
  if (follow === true) return followLog(master, request, write);
  const answer = await readLog(master, request);
  if (json) return printJson(answer);
  write(answer.lines);
}

/** Each line goes where the task wrote it. */
function write(lines: readonly LogLine[]): void {
  for (const { stream, text } of lines)
    (stream === 'stdout' ? process.stdout : process.stderr).write(`${text}\n`);
}
