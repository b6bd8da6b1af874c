import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { systemClock } from './clock.ts';
import { silentLog } from './log.ts';
import { SupervisedChild, type SupervisedOptions } from './supervised.ts';
import { Watched } from './watched.ts';

const kit = new URL('./supervised.ts', import.meta.url).href;
const echo = `
  import { followParent } from '${kit}';
  followParent();
  process.on('message', (m) => m.die ? process.kill(process.pid, 'SIGKILL') : process.send({ echo: m, argv: process.argv.slice(2) }));
  process.send({ ready: process.pid });
`;

function setUp(t: Test, source: string, more: Partial<SupervisedOptions> = {}) {
  const folder = t.testdir({ 'child.mjs': source });
  const messages = new Watched<readonly { [key: string]: unknown }[]>([]);
  const starts = new Watched(0);
  const child = new SupervisedChild({
    name: 'test child',
    entry: pathToFileURL(`${folder}/child.mjs`),
    args: ['one', 'two'],
    clock: systemClock,
    log: silentLog,
    onMessage: (message) => messages.set([...messages.value, message as { [key: string]: unknown }]),
    onStart: () => starts.set(starts.value + 1),
    ...more,
  });
  t.teardown(() => child.stop());
  return { child, messages, starts };
}

t.test('a supervised child gets its arguments and structured messages', async (t) => {
  const { child, messages } = setUp(t, echo);
  await child.start();
  await messages.until((all) => all.length === 1);
  t.ok(child.send({ map: new Map([['a', 1]]) }));
  const [, reply] = await messages.until((all) => all.length === 2);
  t.same(reply, { echo: { map: new Map([['a', 1]]) }, argv: ['one', 'two'] });
});

t.test('a supervised child that is killed is replaced and announced again', async (t) => {
  let crashes = 0;
  const { child, messages, starts } = setUp(t, echo, { onCrash: () => crashes++ });
  await child.start();
  const [first] = await messages.until((all) => all.length === 1);
  process.kill(child.pid!, 'SIGKILL');
  await starts.until((count) => count === 2);
  const [, second] = await messages.until((all) => all.length === 2);
  t.equal(crashes, 1);
  t.not(second?.ready, first?.ready);
});

t.test('a supervised child that ignores SIGTERM is ended after the grace time', async (t) => {
  const stubborn = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); process.send({ ready: process.pid });`;
  const { child, messages } = setUp(t, stubborn, { graceMs: 20 });
  await child.start();
  const [ready] = await messages.until((all) => all.length === 1);
  await child.stop();
  t.throws(() => process.kill(Number(ready?.ready), 0), { code: 'ESRCH' });
  t.equal(child.send({}), false);
});

t.test('a supervised child can be stopped while it waits for its restart, and started again', async (t) => {
  let crashes = 0;
  const crashed = Promise.withResolvers<void>();
  const onCrash = () => {
    crashes++;
    crashed.resolve();
  };
  const { child, starts } = setUp(t, 'process.exit(3);', { onCrash });
  await child.start();
  await crashed.promise;
  await child.stop();
  const count = starts.value;
  t.equal(crashes, count, 'every child that started has crashed');
  await child.start();
  t.equal(starts.value, count + 1);
});
