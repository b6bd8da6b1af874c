import t from 'tap';
import { becomes } from '../lab/processes.ts';
import { openHost } from './host.ts';
import { workerOf } from './machine.ts';
import { startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

t.test(
  'weir dev: PROXY headers of the ranges it is told, and new workers by SIGUSR2',
  { skip },
  async (t) => {
    const host = await openHost(t, 'flags');
    const product = await startProduct(host, { flags: ['--accept-proxy', '127.0.0.1'] });
    const status = async (...options: string[]) => {
      const write = ['-o', '/dev/null', '-w', '%{http_code}'];
      return (await host.exec(['curl', '--silent', ...write, ...options, '127.0.0.1:8000/'])).stdout;
    };
    t.equal(await status('--haproxy-protocol'), '404', 'an answer of the edge');
    t.equal(await status(), '000', 'without a header it is refused');
    const before = workerOf(product, 'lb/edge/worker');
    process.kill(product.pid, 'SIGUSR2');
    t.ok(
      await becomes(async () => {
        const now = workerOf(product, 'lb/edge/worker');
        return now !== undefined && now !== before;
      }, 20_000),
    );
    t.equal(await status('--haproxy-protocol'), '404');
  },
);
