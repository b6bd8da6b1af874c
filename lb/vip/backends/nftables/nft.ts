import { VipApplyFailed, VipUnavailable } from '../../errors.ts';
import { type Family, familyWords } from './family.ts';
import type { HostExec } from './host.ts';
import { type HostSpawn, NftSession } from './session.ts';

export type NftParts = {
  readonly exec: HostExec;
  /** Absent: every change starts a program. */
  readonly spawn: HostSpawn | undefined;
  /** Told of each process that changes the kernel. */
  readonly began?: (pid: number | undefined) => void;
};

export type OwnTable = {
  readonly family: Family;
  readonly table: string;
  /** Where a machine that lacks something is told what to do about it. */
  readonly next: string;
};

/** One table of the kernel that is ours alone, and the programs that change it. */
export class Nft {
  readonly own: OwnTable;
  readonly #parts: NftParts;
  #session: NftSession | undefined;
  /** The last of what changes the kernel, so that a repair never meets a change. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: NftParts, own: OwnTable) {
    this.own = own;
    this.#parts = parts;
    this.#session = parts.spawn && new NftSession(parts.spawn, parts.began);
  }

  /** Family and name. */
  get name(): string {
    return `${familyWords(this.own.family).ip} ${this.own.table}`;
  }

  /** Throws VipUnavailable where this machine cannot. */
  async begin(): Promise<void> {
    await this.need('nft', ['--check', '-f', '-'], `add table ${this.name}\n`);
    await this.need('conntrack', ['--version']);
    // An nft may be built without it, or with a line editor that repeats what it reads; then every change starts a program.
    if ((await this.#session?.perform('')) === '') return;
    this.#session?.close();
    this.#session = undefined;
  }

  /** Throws VipUnavailable unless the program runs and ends well. */
  async need(file: string, args: readonly string[], input?: string): Promise<void> {
    const { next } = this.own;
    const result = await this.#parts.exec(file, args, input).catch((cause: unknown) => {
      throw new VipUnavailable('nftables', `"${file}" cannot be run`, { cause, next: `Install "${file}".` });
    });
    if (result.exitCode === 0) return;
    const words = result.stderr.trim().slice(0, 200) || `exit code ${result.exitCode}`;
    throw new VipUnavailable('nftables', `"${[file, ...args].join(' ')}" says: ${words}`, { next });
  }

  /** A setting of the network's; empty: there is none. */
  async setting(path: string): Promise<string> {
    const { exitCode, stdout } = await this.#parts.exec('cat', [`/proc/sys/net/${path}`]);
    return exitCode === 0 ? stdout.trim() : '';
  }

  /** One after the other, whatever becomes of the one before. */
  alone<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** A small transaction by the program that is there already. */
  async perform(transaction: string): Promise<void> {
    if (this.#session === undefined || !this.#session.takes(transaction)) return this.load(transaction);
    const said = await this.#session.perform(transaction);
    if (said === undefined) throw new VipApplyFailed('nftables', '"nft -i" ended before it answered');
    if (said !== '') throw new VipApplyFailed('nftables', said.slice(0, 500));
  }

  /** A transaction by a program of its own. */
  async load(transaction: string): Promise<void> {
    const { exec, began } = this.#parts;
    const { stdout, stderr, exitCode } = await exec('sh', ['-c', 'echo $$; exec nft -f -'], transaction);
    began?.(Number.parseInt(stdout, 10));
    if (exitCode !== 0)
      throw new VipApplyFailed('nftables', stderr.trim().slice(0, 500) || `nft ended with ${exitCode}`);
  }

  /** What is in a set, as nft prints it. */
  list(set: string): Promise<string> {
    const question = ['list', 'set', ...this.name.split(' '), set];
    return this.alone(async () => {
      if (this.#session !== undefined) return (await this.#session.perform(question.join(' '))) ?? '';
      return (await this.#parts.exec('nft', question)).stdout;
    });
  }

  close(): void {
    this.#session?.close();
  }
}
