import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { tryRun } from '../../core/kit/exec.ts';
import { findProgram } from '../doctor/programs.ts';
import { createProgram } from '../program.ts';
import { startFakeMaster } from '../testing/fake-master.ts';
import { weir } from '../testing/weir.ts';
import { commandNodes } from './tree.ts';

const dir = mkdtempSync(join(tmpdir(), 'weir-completion-'));
const main = fileURLToPath(new URL('../main.ts', import.meta.url));

async function scriptFile(shell: string): Promise<string> {
  const { exitCode, stdout } = await weir(['completion', shell]);
  t.equal(exitCode, 0);
  const file = join(dir, shell);
  writeFileSync(file, `${stdout}\n`);
  return file;
}

/** What bash offers for the last of the words, with `weir` on the path. */
async function bash(words: readonly string[], master = 'http://127.0.0.1:1'): Promise<readonly string[]> {
  const file = await scriptFile('bash');
  const script = `source "$1"; shift; COMP_WORDS=(weir_ "$@"); COMP_CWORD=$#; weir_() { "${process.execPath}" "${main}" "$@"; }; _weir; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { NODE_OPTIONS: '', WEIR_MASTER: master };
  const { stdout } = await tryRun('bash', ['-c', script, 'bash', file, ...words], { env });
  return stdout.split('\n');
}

t.test('the bash script registers a completion of weir', async (t) => {
  const file = await scriptFile('bash');
  const { stdout } = await tryRun('bash', ['-c', 'source "$1"; complete -p weir', 'bash', file]);
  t.equal(stdout, 'complete -F _weir weir');
});

t.test('bash completes commands, options and choices by the words before', async (t) => {
  t.same(await bash(['app', 's']), ['show', 'scale']);
  t.same(await bash(['lab', 'k']), ['kill']);
  t.same(await bash(['app', 'scale', '--f']), ['--force']);
  t.same(await bash(['lab', 'kill', '--what', '']), ['master', 'agent']);
  t.same(await bash(['completion', 'z']), ['zsh']);
  t.ok((await bash([''])).includes('doctor'));
});

t.test('bash completes ids that the master knows, and stays quiet without one', async (t) => {
  const master = await startFakeMaster({
    'GET /v2/apps': { body: { apps: [{ id: '/shop/web' }, { id: '/batch' }] } },
  });
  t.teardown(() => master.close());
  t.same(await bash(['app', 'show', '/s'], master.url), ['/shop/web']);
  t.same(await bash(['app', 'show', '/s']), ['']);
});

for (const shell of ['zsh', 'fish']) {
  t.test(`${shell} accepts its script`, async (t) => {
    const file = await scriptFile(shell);
    const installed = await findProgram(shell);
    t.test(
      'as its own parser sees it',
      { skip: installed === undefined ? `needs ${shell}` : false },
      async (t) => {
        t.same(await tryRun(shell, ['-n', file]), { exitCode: 0, stdout: '', stderr: '' });
      },
    );
  });
}

t.test('every command of the tree has a summary and is in every script', async (t) => {
  const nodes = commandNodes(await createProgram('all'));
  t.ok(nodes.length > 40);
  const scripts = await Promise.all(
    ['bash', 'zsh', 'fish'].map(async (shell) => (await weir(['completion', shell])).stdout),
  );
  for (const { path, summary } of nodes) {
    t.not(summary, '', `weir ${path}`);
    for (const script of scripts) t.ok(script.includes(`'${path}'`), path);
  }
});
