import t from 'tap';
import { becomes } from '../lab/processes.ts';
import { openHost } from './host.ts';
import { workersOf } from './machine.ts';
import { startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

t.test(
  'weir dev: PROXY headers of the ranges it is told, as many workers as it is told, and new ones by SIGUSR2',
  { skip },
  async (t) => {
    const host = await openHost(t, 'flags');
    const product = await startProduct(host, {
      flags: ['--accept-proxy', '127.0.0.1', '--edge-workers', '2'],
    });
    const status = async (...options: string[]) => {
      const write = ['-o', '/dev/null', '-w', '%{http_code}'];
      return (await host.exec(['curl', '--silent', ...write, ...options, '127.0.0.1:8000/'])).stdout;
    };
    t.equal(await status('--haproxy-protocol'), '404', 'an answer of the edge');
    t.equal(await status(), '000', 'without a header it is refused');
    const workers = () => workersOf(product, 'lb/edge/worker');
    const before = workers();
    t.equal(before.length, 2);
    process.kill(before[0] ?? 0, 'SIGKILL');
    t.ok(
      await becomes(async () => workers().length === 2 && workers()[0] !== before[0], 20_000),
      'one that died is replaced',
    );
    t.equal(await status('--haproxy-protocol'), '404', 'and so it is without it');
    const middle = workers();
    process.kill(product.pid, 'SIGUSR2');
    t.ok(
      await becomes(async () => {
        const now = workers();
        return now.length === 2 && !now.some((pid) => middle.includes(pid));
      }, 20_000),
    );
    t.equal(await status('--haproxy-protocol'), '404');
  },
);
