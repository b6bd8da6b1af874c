import t from 'tap';
import { NamespaceClaim } from './namespace-claim.ts';

const name = `weir-test-${process.pid}`;

t.test('a second Weir in one network namespace is refused and told who the first is', async (t) => {
  const first = new NamespaceClaim('process 12, data in /var/lib/weir', { name });
  const second = new NamespaceClaim('process 13', { name });
  t.teardown(() => Promise.all([first.stop(), second.stop()]));
  await first.start();
  await first.start();
  await t.rejects(second.start(), {
    code: 'WEIR_NAMESPACE_TAKEN',
    message: /another Weir already \(process 12, data in \/var\/lib\/weir\)/,
  });
  await first.stop();
  await second.start();
});
