import { stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';
import { execa, type Options } from 'execa';
import { type Clock, systemClock } from '../core/kit/clock.ts';
import { errorCode, errorText } from '../core/kit/errors.ts';
import { CniError } from './errors.ts';
import type { ExecOutcome, ExecRequest, PluginExec } from './exec.ts';
import { stopOrphans } from './orphans.ts';

export type ProcessExecOptions = {
  /** Variables the plugins inherit; `CNI_…` among them are left out. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  /** A command put before the plugin's path, for example `['nsenter', '--net=/run/netns/lab', '--']`. */
  readonly prefix?: readonly string[];
  /** Bytes of standard output that are accepted (default 16 MiB). */
  readonly maxOutput?: number;
};

const MAX_OUTPUT = 16 * 1024 * 1024;
const MAX_STDERR = 64 * 1024;
/** A binary that is being replaced cannot be executed for a moment. */
const BUSY_RETRIES = 5;
const BUSY_PAUSE_MS = 1000;

/** Plugins as processes, each in a process group of its own. */
export function createProcessExec(options: ProcessExecOptions): PluginExec {
  const env = Object.fromEntries(Object.entries(options.env).filter(([key]) => !key.startsWith('CNI_')));
  const clock = options.clock ?? systemClock;
  return {
    find: findPlugin,
    stopOrphans: (keys) => stopOrphans(keys, clock),
    async run(path, request) {
      for (let attempt = 1; ; attempt += 1) {
        const outcome = await start(path, request, { ...options, env });
        if (outcome !== 'busy') return outcome;
        if (attempt > BUSY_RETRIES) throw startError(path, 'the file is being written');
        await clock.sleep(BUSY_PAUSE_MS, request.signal);
      }
    },
  };
}

async function findPlugin(type: string, dirs: readonly string[]): Promise<string> {
  const named = type !== '' && !type.includes('/') && type !== '.' && type !== '..';
  for (const dir of named ? dirs : []) {
    const path = join(dir, type);
    if (await isFile(path)) return path;
  }
  const reason = `plugin ${type || '""'} is not in ${dirs.join(delimiter) || 'an empty search path'}`;
  throw new CniError('WEIR_CNI_PLUGIN_MISSING', reason, { plugin: type });
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function start(
  path: string,
  request: ExecRequest,
  options: ProcessExecOptions,
): Promise<ExecOutcome | 'busy'> {
  if (request.signal?.aborted) return ended('aborted');
  const stops = stopSignals(request);
  const [file = path, ...args] = [...(options.prefix ?? []), path];
  const child = execa(file, args, spawnOptions(request, options, stops.any));
  const stdout = collect(child.stdout, options.maxOutput ?? MAX_OUTPUT, () => stops.overflow.abort());
  const stderr = collect(child.stderr, MAX_STDERR);
  // A daemon in a session of its own survives the kill and may hold the pipes open for ever.
  const letGo = () => void [child.stdout.destroy(), child.stderr.destroy()];
  stops.any.addEventListener('abort', letGo, { once: true });
  const result = await child;
  const output = { stdout: stdout(), stderr: stderr() };
  if (stops.any.aborted) return { ...ended(stops.reason()), ...output };
  if (result.exitCode !== undefined) return { ...ended('exited'), exitCode: result.exitCode, ...output };
  if (result.signal !== undefined) return { ...ended('killed'), signal: result.signal, ...output };
  if (errorCode(result.cause) === 'ETXTBSY') return 'busy';
  throw startError(path, errorText(result.cause ?? result.message), result.cause);
}

/** Everything that ends a plugin early. */
function stopSignals({ signal, timeoutMs }: ExecRequest) {
  const overflow = new AbortController();
  const deadline = AbortSignal.timeout(timeoutMs);
  const any = AbortSignal.any([overflow.signal, deadline, ...(signal === undefined ? [] : [signal])]);
  const reason = () => (overflow.signal.aborted ? 'overflow' : deadline.aborted ? 'timeout' : 'aborted');
  return { any, overflow, reason } as const;
}

function spawnOptions(request: ExecRequest, options: ProcessExecOptions, cancelSignal: AbortSignal) {
  return {
    input: request.stdin,
    env: { ...options.env, ...request.env },
    extendEnv: false,
    cwd: '/',
    reject: false,
    buffer: false,
    cancelSignal,
    killSignal: 'SIGKILL',
    killDescendants: true,
  } as const satisfies Options;
}

/** Keeps the first `limit` bytes and reads the rest without keeping it, so that the plugin never blocks on a full pipe. */
function collect(stream: Readable, limit: number, onOverflow?: () => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size < limit) chunks.push(chunk.subarray(0, limit - size));
    size += chunk.length;
    if (size > limit) onOverflow?.();
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function ended(end: ExecOutcome['end']): ExecOutcome {
  return { end, exitCode: undefined, signal: undefined, stdout: '', stderr: '' };
}

function startError(path: string, why: string, cause?: unknown): CniError {
  return new CniError('WEIR_CNI_PLUGIN_START', `plugin ${path} cannot be started: ${why}`, { cause });
}
