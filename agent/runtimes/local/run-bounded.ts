import { type SpawnOptions, spawn } from 'node:child_process';

/** Bytes of output kept, the newest. */
const kept = 4_096;

export type BoundedResult = {
  readonly exitCode: number;
  readonly output: string;
  readonly timedOut: boolean;
};

/**
 * Runs a program with its output kept within bounds. After `timeoutMs`, `kill` is called with its process number and
 * has to end it. Throws when it cannot be executed.
 */
export function runBounded(
  argv: readonly string[],
  options: SpawnOptions & { timeoutMs: number; kill: (pid: number) => void },
): Promise<BoundedResult> {
  const { timeoutMs, kill, ...spawnOptions } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0] ?? '', argv.slice(1), { ...spawnOptions, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = Buffer.alloc(0);
    let timedOut = false;
    const keep = (chunk: Buffer) => {
      output = Buffer.concat([output, chunk]).subarray(-kept);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const timer = setTimeout(() => {
      timedOut = true;
      if (child.pid !== undefined) kill(child.pid);
      // Whoever holds the pipes now must not hold us.
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, timeoutMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('exit', (code, signal) => {
      if (timedOut) settle(code, signal);
    });
    child.once('close', settle);
    function settle(code: number | null, signal: NodeJS.Signals | null): void {
      clearTimeout(timer);
      resolve({ exitCode: code ?? (signal === null ? 255 : 128), output: output.toString('utf8'), timedOut });
    }
  });
}
