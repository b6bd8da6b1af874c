import { type ChildProcess, fork, type SendHandle } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Clock } from './clock.ts';
import { errorText } from './errors.ts';
import type { Log } from './log.ts';
import type { Part } from './part.ts';

export type SupervisedOptions = {
  /** For the log: `edge worker`. */
  readonly name: string;
  /** The TypeScript or JavaScript file the child runs. */
  readonly entry: URL;
  readonly args?: readonly string[];
  /** Options of the runtime itself, such as `--max-semi-space-size=4`. */
  readonly runtimeArgs?: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  /** A message of the present child; parse it at the door. */
  readonly onMessage: (message: unknown) => void;
  /** A child runs and can be sent to; called for the first one and after each restart. */
  readonly onStart: () => void;
  /** The child is gone without `stop` having been called; another will follow. */
  readonly onCrash?: () => void;
  /** Where its standard output goes: 1 is our own. Default 2. */
  readonly output?: 1 | 2;
  /** How long `stop` waits between SIGTERM and SIGKILL. Default 2 000. */
  readonly graceMs?: number;
};

const firstRestartMs = 50;
const lastRestartMs = 5_000;
/** A child that lived this long is taken for a healthy one: its end is followed by a quick restart. */
const steadyMs = 10_000;

/**
 * A Node process that is kept alive: when it ends, another is started after a growing delay.
 * Messages are structured clones (Map, Uint8Array, bigint pass). The child's standard error goes to our standard
 * error, as does its output unless `output` says otherwise. The child must call `followParent`, else it outlives us.
 */
export class SupervisedChild implements Part {
  readonly #options: SupervisedOptions;
  #child: ChildProcess | undefined;
  #stopping: AbortController | undefined;
  #running: Promise<void> | undefined;

  constructor(options: SupervisedOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when the first child runs; throws when it cannot be started at all. */
  async start(): Promise<void> {
    if (this.#running !== undefined) return;
    this.#stopping = new AbortController();
    const first = await this.#spawn();
    this.#running = this.#keepAlive(first, this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping?.abort();
    if (this.#child !== undefined) await this.#end(this.#child);
    await this.#running;
    this.#running = undefined;
  }

  /** It has been asked to end by itself, and is not replaced. Resolves when it is gone. */
  async letEnd(): Promise<void> {
    this.#stopping?.abort();
    await this.#running;
    this.#running = undefined;
  }

  /**
   * False when there is no child at the moment: whatever was meant for it belongs into `onStart`. A `handle` (a server, a
   * socket, or one of Node's own TCP objects) is shared with the child and stays open here.
   */
  send(message: object, handle?: object): boolean {
    if (this.#child?.connected !== true) return false;
    // The types know sockets and servers only; bare TCP handles are what node:cluster sends.
    this.#child.send(message, handle as SendHandle, { keepOpen: true }, () => {});
    return true;
  }

  async #spawn(): Promise<ChildProcess> {
    const { entry, args = [], runtimeArgs = [] } = this.#options;
    const child = fork(fileURLToPath(entry), args, {
      serialization: 'advanced',
      execArgv: [...runtimeArgs],
      stdio: ['ignore', this.#options.output ?? 2, 2, 'ipc'],
    });
    await once(child, 'spawn');
    child.on('error', (error) => this.#options.log.warn(`${this.#options.name}: ${errorText(error)}`));
    child.on('message', (message) => {
      if (this.#child === child) this.#options.onMessage(message);
    });
    this.#child = child;
    this.#options.onStart();
    return child;
  }

  async #keepAlive(first: ChildProcess, signal: AbortSignal): Promise<void> {
    let child: ChildProcess | undefined = first;
    let delayMs = firstRestartMs;
    while (child !== undefined) {
      const startedAt = this.#options.clock.now();
      const end = await ended(child);
      this.#child = undefined;
      if (signal.aborted) return;
      const lived = this.#options.clock.now() - startedAt;
      if (lived >= steadyMs) delayMs = firstRestartMs;
      this.#options.log.error(`${this.#options.name}: ended unexpectedly, starting another`, {
        end,
        delayMs,
      });
      this.#options.onCrash?.();
      child = await this.#restart(delayMs, signal);
      delayMs = Math.min(lastRestartMs, delayMs * 2);
    }
  }

  async #restart(delayMs: number, signal: AbortSignal): Promise<ChildProcess | undefined> {
    for (let wait = delayMs; ; wait = Math.min(lastRestartMs, wait * 2)) {
      try {
        await this.#options.clock.sleep(wait, signal);
        const child = await this.#spawn();
        if (!signal.aborted) return child;
        await this.#end(child);
        return undefined;
      } catch (error) {
        if (signal.aborted) return undefined;
        this.#options.log.error(`${this.#options.name}: cannot be started`, { error: errorText(error) });
      }
    }
  }

  async #end(child: ChildProcess): Promise<void> {
    const gone = ended(child);
    child.kill('SIGTERM');
    const grace = new AbortController();
    const late = this.#options.clock.sleep(this.#options.graceMs ?? 2_000, grace.signal).then(
      () => child.kill('SIGKILL'),
      () => {},
    );
    await gone;
    grace.abort();
    await late;
  }
}

export function superviseChild(options: SupervisedOptions): SupervisedChild {
  return new SupervisedChild(options);
}

/**
 * For the child's side: ends this process when the parent is gone or asks for it (SIGTERM), after `onEnd`.
 * SIGINT is left to the parent, which hears the same Ctrl-C and stops us in its own order.
 */
export function followParent(onEnd: () => Promise<void> = async () => {}): void {
  let ending = false;
  const end = () => {
    if (ending) return;
    ending = true;
    onEnd().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGINT', () => {});
  process.on('SIGTERM', end);
  process.on('disconnect', end);
}

async function ended(child: ChildProcess): Promise<string> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.signalCode ?? `exit code ${child.exitCode}`;
}
