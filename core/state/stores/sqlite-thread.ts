/** The thread of its own that has the SQLite file: a flush of the disk holds up nobody else in the process. */
import { parentPort, workerData } from 'node:worker_threads';
import { SqliteFile } from './sqlite-file.ts';
import type { Answer, Outcome, Request, TextWrite } from './sqlite-messages.ts';

/** Records told at once while everything is listed. */
const listedAtOnce = 2_000;
/** Parts of a list that may wait to be taken: all at once would be as much memory again as what they become. */
const partsAhead = 3;

const port = parentPort;
if (port === null) throw new Error('sqlite-thread.ts runs as a worker thread');
const say = (answer: Answer) => port.postMessage(answer);

const file = opened();
if (file !== undefined) port.on('message', (request: Request) => say(perform(file, request)));

function opened(): SqliteFile | undefined {
  try {
    const opened = new SqliteFile(String(workerData));
    say({ kind: 'opened', revision: opened.revision });
    return opened;
  } catch (error) {
    say({ kind: 'failed', fault: faultOf(error) });
    return undefined;
  }
}

function perform(file: SqliteFile, request: Request): Answer {
  try {
    return answer(file, request);
  } catch (error) {
    return { kind: 'failed', fault: faultOf(error) };
  }
}

function answer(file: SqliteFile, request: Request): Answer {
  switch (request.kind) {
    case 'commit':
      return { kind: 'commits', outcomes: commit(file, request.commits) };
    case 'list':
      return list(file, request.taken);
    case 'get':
      return { kind: 'row', row: file.get(request.table, request.key) };
    case 'fence':
      return { kind: 'fence', fence: file.nextFence(request.lock) };
    case 'close':
      file.close();
      return { kind: 'closed' };
  }
}

function list(file: SqliteFile, taken: Int32Array): Answer {
  let told = 0;
  for (const rows of file.list(listedAtOnce)) {
    say({ kind: 'rows', rows });
    told += 1;
    waitFor(taken, told - partsAhead);
  }
  return { kind: 'listed', revision: file.revision };
}

function waitFor(taken: Int32Array, least: number): void {
  for (let now = Atomics.load(taken, 0); now < least; now = Atomics.load(taken, 0))
    Atomics.wait(taken, 0, now);
}

/** A batch that fails is tried again one by one: a commit too big for the disk must not fail its neighbours. */
function commit(file: SqliteFile, commits: readonly (readonly TextWrite[])[]): readonly Outcome[] {
  try {
    return file.transaction(commits);
  } catch (error) {
    if (commits.length === 1) return [{ kind: 'failed', fault: faultOf(error) }];
    return commits.flatMap((one) => commit(file, [one]));
  }
}

/** What of an error survives the way to another thread. */
function faultOf(error: unknown) {
  const {
    message = String(error),
    code,
    errcode,
  } = error as { message?: string; code?: string; errcode?: number };
  return { message, ...(code === undefined ? {} : { code }), ...(errcode === undefined ? {} : { errcode }) };
}
