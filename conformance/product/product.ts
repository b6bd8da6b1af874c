import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorText } from '../../core/kit/errors.ts';
import { type RunResult, tryRun } from '../../core/kit/exec.ts';
import { becomes } from '../lab/processes.ts';
import { Api } from './api.ts';
import type { Host } from './host.ts';

export const repository = fileURLToPath(new URL('../..', import.meta.url));
/** What is tested: the program of this clone, or another build of it. */
export const program = process.env['WEIR_PROGRAM'] ?? join(repository, 'weir');

export type ProductOptions = {
  readonly flags?: readonly string[];
  /** Put before the command, as `setpriv …`. */
  readonly as?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

export type Ending = { readonly exitCode: number | null; readonly signal: NodeJS.Signals | null };

/** A process of Weir on a host. */
export type Running = {
  readonly pid: number;
  /** All it wrote so far, both streams. */
  output(): string;
  /** Resolves when it has ended by itself or by a signal. */
  readonly ended: Promise<Ending>;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Ending>;
};

/** One run of `weir dev` on a host. */
export type Product = Running & { readonly api: Api };

const readyWithinMs = 30_000;
const endWithinMs = 20_000;

/** Starts `weir dev` and resolves when it serves: its agent is connected and everything it knows is in force. */
export async function startProduct(host: Host, options: ProductOptions = {}): Promise<Product> {
  const product = launch(host, options);
  let over: Ending | undefined;
  product.ended.then((ending) => {
    over = ending;
  });
  let last: unknown;
  const ready = await becomes(async () => {
    if (over !== undefined) return true;
    return product.api.inForce().catch((error: unknown) => {
      last = error;
      return false;
    });
  }, readyWithinMs);
  if (ready && over === undefined) return tellCrash(product);
  const state = over === undefined ? `not ready (${errorText(last)})` : `ended with ${JSON.stringify(over)}`;
  throw new Error(`weir dev ${state}:\n${product.output()}`);
}

/** What follows a crash are only connections refused; its own words are worth more. */
function tellCrash(product: Product): Product {
  let asked = false;
  product.ended.then(({ exitCode, signal }) => {
    if (asked || signal === 'SIGKILL') return;
    process.stderr.write(`weir dev ended by itself (${exitCode ?? signal}):\n${product.output()}\n`);
  });
  return {
    ...product,
    end(signal) {
      asked = true;
      return product.end(signal);
    },
  };
}

/** Starts `weir dev` without waiting for anything. */
export function launch(host: Host, { flags = [], ...how }: ProductOptions): Product {
  const running = spawnWeir(host, ['dev', '--data', dataOf(host), ...flags], how);
  return { ...running, api: new Api(host.tunnel) };
}

/** Starts any long-lived command of Weir on a host. */
export function spawnWeir(
  host: Host,
  words: readonly string[],
  { as = [], env = {} }: Pick<ProductOptions, 'as' | 'env'> = {},
): Running {
  const [file, ...args] = host.inside([...as, program, ...words]);
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: host.dir,
    env: { ...process.env, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const ended = once(child, 'close').then(() => ({ exitCode: child.exitCode, signal: child.signalCode }));
  return {
    pid: child.pid ?? -1,
    output: () => output,
    ended,
    async end(signal) {
      child.kill(signal);
      const late = AbortSignal.timeout(endWithinMs);
      const ending = await Promise.race([ended, once(late, 'abort').then(() => undefined)]);
      if (ending === undefined) throw new Error(`weir ${words[0]} did not end after ${signal}:\n${output}`);
      return ending;
    },
  };
}

/** `weir down`, as a person would after the last stop. */
export function down(host: Host, { as = [] }: Pick<ProductOptions, 'as'> = {}): Promise<RunResult> {
  const [file, ...args] = host.inside([...as, program, 'down', '--data', dataOf(host)]);
  return tryRun(file, args, { cwd: host.dir });
}

export function dataOf(host: Host): string {
  return join(host.dir, 'data');
}
