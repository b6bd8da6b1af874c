import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { WeirError } from '../../../core/kit/errors.ts';
import { fileNames } from './configuration.ts';
import { ask } from './runtime-socket.ts';

export type ProcessOptions = {
  readonly folder: string;
  /** File descriptors that become 3, 4, … in HAProxy. */
  readonly sockets: readonly number[];
  /** It ended and nobody asked for it. */
  readonly onExit: (why: string) => void;
};

/** HAProxy is not on this machine, or does not start. */
export class HaproxyUnusable extends WeirError {
  constructor(why: string) {
    super('WEIR_HAPROXY_UNUSABLE', `Cannot run HAProxy: ${why}`, {
      next: 'apt-get install haproxy (2.6 or newer), or start the edge with --edge-engine builtin',
    });
  }
}

const path = [process.env.PATH, '/usr/local/sbin', '/usr/sbin', '/sbin'].join(':');
/** When this process dies HAProxy ends what it has begun and goes. */
const dieWithUs = ['--pdeathsig', 'USR1'];

/** HAProxy in master-worker mode: the master stays, its worker is replaced with each configuration. */
export class HaproxyProcess {
  readonly #options: ProcessOptions;
  readonly #child: ChildProcess;
  readonly #words: string[] = [];
  readonly #gone: Promise<unknown>;
  #stopping = false;

  constructor(options: ProcessOptions) {
    this.#options = options;
    const { folder, sockets } = options;
    const master = `unix@${fileNames.master},mode,600`;
    const args = ['haproxy', '-W', '-db', '-S', master, '-f', fileNames.configuration];
    this.#child = spawn('setpriv', [...dieWithUs, ...args], {
      stdio: ['ignore', 'ignore', 'pipe', ...sockets],
      cwd: folder,
      env: { ...process.env, PATH: path },
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#heard(text));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gone = promise;
    this.#child.once('error', () => resolve());
    this.#child.once('exit', () => resolve());
    void promise.then(() => {
      if (!this.#stopping) options.onExit(this.words);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What it said last. */
  get words(): string {
    return this.#words.slice(-5).join(' ') || 'it says nothing';
  }

  /** Resolves once it is gone. */
  get gone(): Promise<unknown> {
    return this.#gone;
  }

  /** Starts a worker with the configuration that is on the disk now; the present one ends what it has begun. */
  async reload(): Promise<void> {
    await ask(`${this.#options.folder}/${fileNames.master}`, ['reload']).catch(() => {});
  }

  /** Ends what it has begun, or what is left of it when `signal` is given. */
  end(signal: 'SIGUSR1' | 'SIGTERM' | 'SIGKILL'): void {
    this.#stopping = true;
    this.#child.kill(signal);
  }

  #heard(text: string): void {
    this.#words.push(...text.split('\n').filter((line) => /ALERT|WARNING/.test(line)));
    this.#words.splice(0, this.#words.length - 20);
  }
}

/** What HAProxy says against a configuration; undefined: it takes it. */
export async function refusalOf(
  folder: string,
  file: string,
  sockets: readonly number[],
): Promise<string | undefined> {
  const child = spawn('haproxy', ['-c', '-f', file], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe', ...sockets],
    env: { ...process.env, PATH: path },
  });
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words += text;
  });
  const failed = once(child, 'error').then(([error]) => {
    throw new HaproxyUnusable(error instanceof Error ? error.message : String(error));
  });
  const [code] = await Promise.race([once(child, 'close'), failed]);
  return code === 0 ? undefined : alerts(words);
}

function alerts(words: string): string {
  return words
    .split('\n')
    .filter((line) => line.includes('[ALERT]'))
    .map((line) => line.replace(/^\[ALERT\]\s*\(\d+\) : /, ''))
    .slice(0, 10)
    .join('; ');
}
