import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { becomes } from '../lab/processes.ts';
import { openHost } from './host.ts';
import { podLog, podUntil } from './pod-api.ts';
import { startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

t.test('a container of a pod has its artifacts before it starts, and only its own', { skip }, async (t) => {
  const host = await openHost(t, 'artifacts');
  const uri = join(host.dir, 'greeting');
  writeFileSync(uri, 'hello from a file\n');
  const product = await startProduct(host);
  const container = (name: string, more: object) => ({
    name,
    exec: { command: { shell: 'cat "$MESOS_SANDBOX/greeting" || echo none; sleep 1000' } },
    resources: { cpus: 0.1, mem: 32 },
    ...more,
  });
  const containers = [container('has', { artifacts: [{ uri }] }), container('hasnot', {})];
  const answer = await product.api.call('POST', '/v2/pods', { id: '/files', containers });
  t.equal(answer.status, 201);
  t.notMatch(String(answer.headers['warning'] ?? ''), /artifacts/);
  t.match(answer.body, {
    containers: [{ artifacts: [{ uri, extract: true, executable: false, cache: false }] }],
  });
  const pod = await podUntil(product.api, '/files', ({ status }) => status === 'STABLE');
  const [instance = ''] = pod.instances.map(({ id }) => id);
  const says = (name: string, text: string) =>
    becomes(
      async () => (await podLog(product.api, instance, name)).some((line) => line.includes(text)),
      20_000,
    );
  t.ok(await says('has', 'hello from a file'));
  t.ok(await says('hasnot', 'none'));
  await product.end('SIGTERM');
});
