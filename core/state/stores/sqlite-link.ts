import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Answer, Fault, Request } from './sqlite-messages.ts';

const youngMegabytes = 4;
/** A thread whose end is not told after this long is left to the end of the process. */
const endMs = 5_000;

type Waiting = {
  readonly settle: (answer: Answer) => void;
  readonly fail: (error: Error) => void;
  readonly rows?: (rows: string) => void;
};

/** The way to the thread that has the file. Requests are answered in the order they were made. */
export class SqliteLink {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #end: Error | undefined;

  constructor(path: string) {
    this.#worker = new Worker(new URL('sqlite-thread.ts', import.meta.url), {
      workerData: path,
      // It keeps nothing: room to make garbage in would only be memory.
      resourceLimits: { maxYoungGenerationSizeMb: youngMegabytes },
    });
    this.#worker.unref();
    this.#worker.on('message', (answer: Answer) => this.#take(answer));
    this.#worker.on('error', (error) =>
      this.#ended(error instanceof Error ? error : new Error(String(error))),
    );
    this.#worker.on('exit', () => this.#ended(new Error('its thread ended')));
  }

  /** The first answer: the file is open, or why not. Throws SQLite's own errors, as all of these. */
  opened(): Promise<Answer> {
    return this.#answer();
  }

  ask(request: Request, rows?: (rows: string) => void): Promise<Answer> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const answer = this.#answer(rows);
    this.#worker.postMessage(request);
    return answer;
  }

  /**
   * The thread does not end by itself: an end that came together with this one was not always told, and the process then
   * ended in the middle of its stop. The patience holds the process until it is told.
   */
  async stop(): Promise<void> {
    const told = new AbortController();
    const patience = delay(endMs, undefined, { signal: told.signal }).catch(() => {});
    await Promise.race([this.#worker.terminate(), patience]);
    told.abort();
  }

  #answer(rows?: (rows: string) => void): Promise<Answer> {
    // While an answer is owed the process may not end.
    this.#worker.ref();
    return new Promise((settle, fail) => {
      this.#waiting.push({ settle, fail, ...(rows === undefined ? {} : { rows }) });
    });
  }

  #take(answer: Answer): void {
    if (answer.kind === 'rows') {
      this.#waiting[0]?.rows?.(answer.rows);
      return;
    }
    const waiting = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#worker.unref();
    if (answer.kind === 'failed') waiting?.fail(errorOf(answer.fault));
    else waiting?.settle(answer);
  }

  #ended(error: Error): void {
    this.#end ??= error;
    for (const waiting of this.#waiting.splice(0)) waiting.fail(this.#end);
  }
}

export function errorOf({ message, ...rest }: Fault): Error {
  return Object.assign(new Error(message), rest);
}
