import { type ChildProcess, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../core/kit/clock.ts';
import { WeirError } from '../../../core/kit/errors.ts';
import { LineCutter } from './lines.ts';
import { longestLine } from './log-lines.ts';
import { RuntimeSocket } from './runtime-socket.ts';

export type ProcessOptions = {
  /** Everything it reads and writes is in it. */
  readonly folder: string;
  /** Its configuration, and where it takes commands as that says. */
  readonly file: string;
  readonly control: string;
  /** File descriptors that become 3, 4, … in HAProxy. */
  readonly sockets: readonly number[];
  /** Takes each line of its log; absent: nobody does. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** It ended and nobody asked for it. */
  readonly onExit: (why: string) => void;
};

/** HAProxy is not on this machine, or does not start. `alerts`: what it says against its configuration. */
export class HaproxyUnusable extends WeirError {
  readonly alerts: string;

  constructor(why: string, alerts = '') {
    super('WEIR_HAPROXY_UNUSABLE', `Cannot run HAProxy: ${why}`, {
      next: 'apt-get install haproxy (2.6 or newer), or start the edge with --edge-engine builtin',
    });
    this.alerts = alerts;
  }
}

const path = [process.env.PATH, '/usr/local/sbin', '/usr/sbin', '/sbin'].join(':');
/** When this process dies HAProxy ends what it has begun and goes. */
const dieWithUs = ['--pdeathsig', 'USR1'];
const startPatienceMs = 20_000;
const lookMs = 5;

/** One HAProxy with one configuration, from its start to its end; the next configuration has a process of its own. */
export class HaproxyProcess {
  readonly #options: ProcessOptions;
  readonly #child: ChildProcess;
  readonly #words: string[] = [];
  readonly #gone: Promise<void>;
  #socket: RuntimeSocket | undefined;
  #lostLines = 0;
  #isWanted = true;
  #isGone = false;

  constructor(options: ProcessOptions) {
    this.#options = options;
    const { folder, file, sockets, onLine } = options;
    this.#child = spawn('setpriv', [...dieWithUs, 'haproxy', '-db', '-f', file], {
      stdio: ['ignore', onLine === undefined ? 'ignore' : 'pipe', 'pipe', ...sockets],
      cwd: folder,
      env: { ...process.env, PATH: path },
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#heard(text));
    const lines = new LineCutter(longestLine, (line) => onLine?.(line));
    this.#child.stdout?.setEncoding('latin1').on('data', (text: string) => lines.take(text));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gone = promise;
    this.#child.once('error', () => resolve());
    this.#child.once('close', () => resolve());
    void promise.then(() => this.#ended());
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Of its log, that nobody had room for, when it was asked last. */
  get lostLines(): number {
    return this.#lostLines;
  }

  /** Resolves once it is gone. */
  get gone(): Promise<void> {
    return this.#gone;
  }

  /** Resolves when it serves. Throws HaproxyUnusable, and then it is gone. */
  async ready(clock: Clock): Promise<void> {
    const until = clock.now() + startPatienceMs;
    while (this.#socket === undefined) {
      if (this.#isGone) throw this.#refusal();
      if (clock.now() > until) {
        this.end('SIGKILL');
        throw new HaproxyUnusable(`it does not serve within ${startPatienceMs / 1_000} s: ${this.#said()}`);
      }
      this.#socket = await RuntimeSocket.open(this.#control).catch(() => undefined);
      if (this.#socket === undefined) await Promise.race([clock.sleep(lookMs), this.#gone]);
    }
  }

  /** Its answer to each of these commands. */
  async ask(commands: readonly string[]): Promise<readonly string[]> {
    if (this.#socket === undefined) throw new HaproxyUnusable('it has not started');
    return this.#socket.ask(commands);
  }

  /** Resolves when it takes nobody any more. It ends what it has begun, and goes after `dismiss`. */
  async retire(): Promise<void> {
    this.#isWanted = false;
    this.#child.kill('SIGUSR1');
    while (!this.#isGone) {
      const info = await this.info();
      if (info === undefined || info.get('Stopping') === '1') return;
    }
  }

  /** What it says of itself; undefined: nothing. */
  async info(): Promise<ReadonlyMap<string, string> | undefined> {
    const [text] = await this.ask(['show info']).catch(() => []);
    if (text === undefined) return undefined;
    const info = new Map(
      [...text.matchAll(/^(\w+): (.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
    );
    this.#lostLines = Number(info.get('DroppedLogs') ?? 0);
    return info;
  }

  /** Nothing more is asked of it: it goes when it has ended what it has begun. */
  dismiss(): void {
    this.#socket?.close();
  }

  end(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#isWanted = false;
    this.#child.kill(signal);
  }

  get #control(): string {
    return join(this.#options.folder, this.#options.control);
  }

  #heard(text: string): void {
    this.#words.push(...text.split('\n').filter((line) => /ALERT|WARNING/.test(line)));
    if (this.#words.length > 200) this.#words.splice(100, this.#words.length - 200);
  }

  #ended(): void {
    this.#isGone = true;
    this.#socket?.close();
    void rm(this.#control, { force: true }).catch(() => {});
    if (this.#isWanted && this.#socket !== undefined) this.#options.onExit(this.#said());
  }

  #refusal(): HaproxyUnusable {
    const alerts = this.#words
      .filter((line) => line.includes('[ALERT]'))
      .map((line) => line.replace(/^\[ALERT\]\s*\(\d+\) : /, ''))
      .slice(0, 10)
      .join('; ');
    return new HaproxyUnusable(`it refuses its configuration: ${alerts || this.#said()}`, alerts);
  }

  /** What it said last. */
  #said(): string {
    return this.#words.slice(-5).join(' ') || 'it says nothing';
  }
}
