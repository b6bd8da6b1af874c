import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const marker = 'WEIR_BENCH_FOLDER';

/**
 * Runs `main` in a network namespace of its own with a folder of its own: the bench file is started a second time inside.
 * Nothing it starts outlives it. Needs root.
 */
export async function insideOwnNetwork(file: string, main: (folder: string) => Promise<void>): Promise<void> {
  const folder = process.env[marker];
  if (folder !== undefined) return main(folder);
  if (process.getuid?.() !== 0) {
    console.error('this bench needs root: it measures containers and kernel networking');
    process.exitCode = 2;
    return;
  }
  const name = `weir-bench-${process.pid}`;
  const made = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  must('ip', ['netns', 'add', name]);
  try {
    must('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
    const child = spawn(
      'nsenter',
      [`--net=/run/netns/${name}`, process.execPath, fileURLToPath(file), ...process.argv.slice(2)],
      {
        stdio: 'inherit',
        env: { ...process.env, [marker]: made },
      },
    );
    const [code] = await once(child, 'exit');
    process.exitCode = Number(code ?? 1);
  } finally {
    must('ip', ['netns', 'delete', name]);
    await rm(made, { recursive: true, force: true });
  }
}

function must(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
