import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { run } from '../core/kit/exec.ts';
import { runtimeFacts } from './runtime-facts.ts';

t.test(
  'facts name each program with the package that has it, and what keeps runc from being used',
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'weir-facts-'));
    t.teardown(() => rm(dir, { recursive: true }));
    const facts = await runtimeFacts({ dataDir: dir });
    const names = facts.programs.map(({ name }) => name);
    t.same(names, ['runc', 'conmon', 'unshare', 'mount', 'skopeo', 'umoci']);
    t.equal(facts.root, process.getuid?.() === 0);
    t.equal(facts.againstRunc.includes('the agent does not run as root'), !facts.root);
    const missing = facts.programs.filter(({ version }) => version === undefined);
    t.same(facts.missingPackages, [...new Set(missing.map((program) => program.package))]);
    t.same(await readdir(dir), []);
  },
);

t.test(
  'facts say that layers are in memory on an overlay',
  { skip: process.getuid?.() === 0 ? false : 'needs root' },
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'weir-facts-'));
    t.teardown(() => rm(dir, { recursive: true }));
    const module = JSON.stringify(new URL('runtime-facts.ts', import.meta.url).href);
    const program = `const { runtimeFacts } = await import(${module}); const facts = await runtimeFacts({ dataDir: 'm/data' }); console.log(JSON.stringify(facts.layers))`;
    const script =
      'cd "$1" && mkdir u w m && mount -t overlay -o lowerdir=/mnt,upperdir=u,workdir=w weir m && exec "$2" --input-type=module -e "$3"';
    const args = ['--mount', 'sh', '-c', script, 'weir-test', dir, process.execPath, program];
    t.same(JSON.parse(await run('unshare', args)), { kind: 'memory' });
  },
);
