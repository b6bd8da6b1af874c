import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { VipApplyFailed } from '../../errors.ts';
import type { MapName, MapWrite } from './writes.ts';

/** For a hundred thousand elements, three seconds of a core, on a machine that does other things too. */
const patienceMs = 60_000;
/** Lines handed over at once: each waits for the program to have read those before. */
const perWrite = 4_000;

/**
 * One bpftool that stays, so that a change does not wait for a program to start. It obeys line by line and is silent; behind
 * the last line goes a question whose answer says that all before it is done. On a fault it says so and ends.
 */
export class BpfBatch {
  readonly #pathOf: (map: MapName) => string;
  #running: ChildProcess | undefined;
  #said = '';
  #wake: () => void = () => {};

  /** `pathOf`: where a map is pinned. */
  constructor(pathOf: (map: MapName) => string) {
    this.#pathOf = pathOf;
  }

  /** Resolves when all is written. One call at a time. Throws VipApplyFailed; then any of it may be written. */
  async perform(writes: readonly MapWrite[]): Promise<void> {
    if (writes.length === 0) return;
    const child = this.#process();
    this.#said = '';
    const input = child.stdin!;
    for (let from = 0; from < writes.length && this.#running === child; from += perWrite) {
      const text = `${writes
        .slice(from, from + perWrite)
        .map((write) => this.#line(write))
        .join('\n')}\n`;
      // Calls back when it is taken, or when there is nobody left to take it.
      await new Promise<void>((resolve) => void input.write(text, () => resolve()));
    }
    input.write('version\n');
    await this.#answered(child);
  }

  close(): void {
    this.#running?.kill();
    this.#running = undefined;
  }

  #line({ map, key, value }: MapWrite): string {
    const at = `pinned ${this.#pathOf(map)} key hex ${key}`;
    return value === undefined ? `map delete ${at}` : `map update ${at} value hex ${value}`;
  }

  async #answered(child: ChildProcess): Promise<void> {
    const late = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    try {
      await this.#until(child);
    } finally {
      clearTimeout(late);
    }
  }

  async #until(child: ChildProcess): Promise<void> {
    while (!/^features:.*\n/m.test(this.#said)) {
      if (this.#running !== child) throw new VipApplyFailed('ebpf', this.#said.trim().slice(0, 500));
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #process(): ChildProcess {
    if (this.#running !== undefined) return this.#running;
    // Answers at once although they go to a pipe; faults by the same one.
    const child = spawn('sh', ['-c', 'exec stdbuf -oL bpftool batch file - 2>&1'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const { stdin, stdout } = child;
    child.on('error', () => stdout.destroy());
    stdin.on('error', () => {});
    stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
      this.#wake();
    });
    child.on('close', () => {
      if (this.#running === child) this.#running = undefined;
      this.#wake();
    });
    // It ends with this process and does not keep it.
    child.unref();
    for (const pipe of [stdin, stdout]) if (pipe instanceof Socket) pipe.unref();
    this.#running = child;
    return child;
  }
}
