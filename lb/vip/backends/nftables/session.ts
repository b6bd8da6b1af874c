import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

/** Starts a program that reads lines; a test puts a network namespace in front of it. */
export type HostSpawn = (file: string, args: readonly string[]) => ChildProcess;

/** Starts it in the network namespace of this process. */
export const hostSpawn: HostSpawn = (file, args) => spawn(file, args, { stdio: ['pipe', 'pipe', 'ignore'] });

/** Bytes of one line that every line editor nft may be built with takes. */
const maxLine = 4_096;
const patienceMs = 5_000;

/**
 * One `nft` that stays. A small transaction costs a fifth of what starting a program for it does, because the kernel makes
 * each ending one wait until the packets on their way have left what it deleted.
 *
 * `nft -i` gives no sign of success. So behind each line goes a question about a table that nobody has: its error, with the
 * name in it, is the sign that the line before is done, and what stands before it is what went wrong.
 */
export class NftSession {
  readonly #spawn: HostSpawn;
  #running: { readonly child: ChildProcess; readonly input: Writable; readonly output: Readable } | undefined;
  readonly #began: (pid: number | undefined) => void;
  #asked = 0;

  /** `began` is told of each process that does the work. */
  constructor(start: HostSpawn, began: (pid: number | undefined) => void = () => {}) {
    this.#spawn = start;
    this.#began = began;
  }

  /** Whether a transaction is small enough for one line. */
  takes(transaction: string): boolean {
    return oneLine(transaction).length <= maxLine;
  }

  /**
   * Performs one transaction and gives what nft said against it; empty: it is in force. Undefined: there is no saying, the
   * session is over and the next call begins another. One call at a time.
   */
  async perform(transaction: string): Promise<string | undefined> {
    const { input, output } = this.#process();
    const name = `weir-none-${++this.#asked}`;
    input.write(`${oneLine(transaction)}\nlist table ip ${name}\n`);
    const said = await this.#until(output, name);
    if (said === undefined) this.close();
    return said;
  }

  close(): void {
    this.#running?.child.kill();
    this.#running = undefined;
  }

  /** The text before the answer to our question. */
  #until(output: Readable, name: string): Promise<string | undefined> {
    const end = new RegExp(`(?:^|\\n)Error: [^\\n]*\\nlist table ip ${name}\\n *\\^+\\n`);
    return new Promise((resolve) => {
      let text = '';
      const done = (said: string | undefined): void => {
        clearTimeout(timer);
        output.off('data', take).off('close', lost);
        resolve(said);
      };
      const lost = (): void => done(undefined);
      const take = (data: string): void => {
        text += data;
        const found = end.exec(text);
        if (found !== null) done(text.slice(0, found.index).trim());
      };
      const timer = setTimeout(lost, patienceMs);
      output.on('data', take).on('close', lost);
    });
  }

  #process() {
    if (this.#running !== undefined) return this.#running;
    // Errors in the order of the answers: both by one pipe.
    const child = this.#spawn('sh', ['-c', 'exec nft -i 2>&1']);
    const { stdin: input, stdout: output } = child;
    if (input === null || output === null) throw new Error('nft -i was started without pipes');
    this.#began(child.pid);
    const running = { child, input, output };
    // Whoever waits learns of an end by the output.
    child.on('error', () => output.destroy());
    input.on('error', () => {});
    output.setEncoding('utf8').on('close', () => {
      if (this.#running === running) this.#running = undefined;
    });
    // It ends with this process and does not keep it.
    child.unref();
    for (const pipe of [input, output]) if (pipe instanceof Socket) pipe.unref();
    this.#running = running;
    return running;
  }
}

/** A line is a transaction, as a file is. */
function oneLine(transaction: string): string {
  return transaction.trim().replaceAll('\n', '; ');
}
