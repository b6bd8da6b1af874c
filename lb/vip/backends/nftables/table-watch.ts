import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { type Family, familyWords } from './family.ts';
import type { HostSpawn } from './session.ts';

/** When a listing began, for `verified`. */
export type Mark = { readonly child: ChildProcess | undefined; readonly strangers: number };

/**
 * Who changes our table. One `nft monitor` that stays tells every transaction of the machine, what it touched, and by which
 * process it was made: a table that only we have changed since it was listed need not be listed again (vip.md §17.4).
 */
export class TableWatch {
  readonly #spawn: HostSpawn;
  /** What its lines say of our table: `add element ip weir …`. */
  readonly #ours: RegExp;
  readonly #own = new Set<number>();
  /** How often each process touched our table. */
  #touched = new Map<number, number>();
  #running: ChildProcess | undefined;
  #heard = false;
  /** What the transaction under way touches; undefined: nothing that was told, such as one of a set of ranges. */
  #touches: boolean | undefined;
  #rest = '';
  #verified: Mark | undefined;

  constructor(spawn: HostSpawn, { family, table }: { readonly family: Family; readonly table: string }) {
    this.#spawn = spawn;
    this.#ours = new RegExp(`^\\S+ \\S+ ${familyWords(family).ip} ${table}(?: |$)`);
  }

  /** What this process does is no stranger's. */
  own(pid: number | undefined): void {
    if (pid !== undefined) this.#own.add(pid);
  }

  /** Begins to listen, if nobody does. */
  mark(): Mark {
    this.#start();
    // Before anything was heard it may not listen yet.
    return { child: this.#heard ? this.#running : undefined, strangers: this.#strangers() };
  }

  /** A listing that began at the mark found all as it should be. */
  verified(mark: Mark): void {
    this.#verified = mark;
  }

  /** Nobody else has touched the table since it was last verified. */
  isRight(): boolean {
    const { child, strangers } = this.#verified ?? {};
    return child !== undefined && child === this.#running && strangers === this.#strangers();
  }

  /** Somebody else has touched it, as far as was heard. */
  isTouched(): boolean {
    return this.#strangers() > (this.#verified?.strangers ?? 0);
  }

  close(): void {
    this.#running?.kill();
    this.#running = undefined;
  }

  #strangers(): number {
    return [...this.#touched].reduce((sum, [pid, count]) => sum + (this.#own.has(pid) ? 0 : count), 0);
  }

  #start(): void {
    if (this.#running !== undefined) return;
    const child = this.#spawn('nft', ['monitor']);
    const { stdin, stdout } = child;
    [this.#running, this.#heard, this.#touches, this.#rest] = [child, false, undefined, ''];
    [this.#touched, this.#verified] = [new Map(), undefined];
    child.on('error', () => stdout?.destroy());
    stdin?.on('error', () => {});
    stdout?.setEncoding('utf8').on('data', (text: string) => this.#running === child && this.#hear(text));
    stdout?.on('close', () => {
      if (this.#running === child) this.#running = undefined;
    });
    // It ends with this process and does not keep it.
    child.unref();
    for (const pipe of [stdin, stdout]) if (pipe instanceof Socket) pipe.unref();
  }

  #hear(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    // Some of what happened was lost: the next audit begins another.
    if (lines.some((line) => line.startsWith('# ERROR'))) this.close();
    else for (const line of lines) this.#line(line);
  }

  /** First what a transaction touched, then whose it was. */
  #line(line: string): void {
    const [, pid] = /^# new generation \d+ by process (\d+)/.exec(line) ?? [];
    if (pid === undefined) {
      this.#touches = this.#touches === true || this.#ours.test(line);
      return;
    }
    this.#heard = true;
    if (this.#touches !== false) this.#touched.set(Number(pid), (this.#touched.get(Number(pid)) ?? 0) + 1);
    this.#touches = undefined;
  }
}
