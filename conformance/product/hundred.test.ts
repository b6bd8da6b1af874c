import { join } from 'node:path';
import t from 'tap';
import { tryRun } from '../../core/kit/exec.ts';
import { repository } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

t.test(
  'rolling deployments under clients by name and by virtual IP, TCP and UDP, fail no request',
  { skip },
  async (t) => {
    const { exitCode, stdout, stderr } = await tryRun(
      join(repository, 'scripts', 'bench'),
      ['hundred', '3'],
      {
        timeoutMs: 180_000,
      },
    );
    t.equal(exitCode, 0, stderr);
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}');
    t.match(result, { bench: 'hundred', deployments: 3, failed: 0, ok: true }, stdout);
    t.ok(result.answered > 100, `${result.answered} answered`);
  },
);
