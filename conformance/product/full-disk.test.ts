import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { errorCode } from '../../core/kit/errors.ts';
import { run } from '../../core/kit/exec.ts';
import { script } from './definitions.ts';
import { openHost } from './host.ts';
import { processesOfTask } from './machine.ts';
import { dataOf, startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

t.test(
  'a data folder without room: what cannot be kept is refused, and nothing is lost',
  { skip },
  async (t) => {
    const host = await openHost(t, 'full');
    mkdirSync(dataOf(host));
    await run('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'weir-test', dataOf(host)]);
    const { api } = await startProduct(host);
    await api.deploy(script('/before', []));
    const [task] = await api.tasks('/before');
    const known = (await api.call('GET', '/v2/apps')).text;

    const ballast = join(dataOf(host), 'ballast');
    fill(ballast);
    const answer = await api.call('POST', '/v2/apps', script('/refused', []));
    t.match(answer.status, /^5\d\d$/);
    t.match(answer.text, /disk|full|space/i, 'it says why');
    t.equal((await api.call('GET', '/v2/apps')).text, known, 'the apps are as before');
    t.ok(processesOfTask(task?.id ?? '').length > 0, 'what runs goes on');

    rmSync(ballast);
    t.match(await api.deploy(script('/after', [])), { tasksRunning: 1 }, 'with room again all is well');
    t.match(await api.must('GET', '/v2/apps'), { apps: { length: 2 } });
  },
);

/** Writes until there is no room, ever smaller pieces. */
function fill(path: string): void {
  for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 2)) {
    for (;;) {
      try {
        writeFileSync(path, Buffer.alloc(size), { flag: 'a' });
      } catch (error) {
        if (errorCode(error) !== 'ENOSPC') throw error;
        break;
      }
    }
  }
}
