import { fork } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { workerArgument } from './config.ts';
import { defaultServerOptions, defaultZoneOptions } from './options.ts';

t.test('a worker whose parent goes while it answers ends, and has nothing to say about it', async (t) => {
  const config = { zone: defaultZoneOptions, server: defaultServerOptions, sockets: 'plain' } as const;
  const worker = fork(new URL('./worker.ts', import.meta.url), [workerArgument(config)], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  t.teardown(() => worker.kill('SIGKILL'));
  const said = text(worker.stderr!);
  const ended = once(worker, 'exit');
  for (let id = 0; id < 200; id++) worker.send({ id, call: 'metrics', asked: undefined });
  worker.disconnect();
  t.same(await ended, [0, null]);
  t.equal(await said, '');
});
