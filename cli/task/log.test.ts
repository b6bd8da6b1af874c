import fc from 'fast-check';
import t from 'tap';
import type { LogLine } from '../master/answers.ts';
import { startFakeMaster } from '../testing/fake-master.ts';
import { weir } from '../testing/weir.ts';
import { newLines } from './log.ts';

const instance = 'web.instance-8c9cbb32-3f6c-4e9d-9c50-7d0c3f1f2a11';
const out = (text: string): LogLine => ({ stream: 'stdout', text });
const err = (text: string): LogLine => ({ stream: 'stderr', text });

t.test('weir task log writes each line where the task wrote it', async (t) => {
  const master = await startFakeMaster({
    [`GET /v1/instances/${instance}/log`]: { body: { lines: [out('one'), err('two'), out('three')] } },
    'GET /v2/tasks': { body: { tasks: [{ id: `${instance}._app.1`, appId: '/web' }] } },
  });
  t.teardown(() => master.close());
  for (const given of [`${instance}._app.1`, instance, 'web.inst', '/web']) {
    const { exitCode, stdout, stderr } = await weir(['task', 'log', given, '--tail', '7'], {
      master: master.url,
    });
    t.same({ exitCode, stdout, stderr }, { exitCode: 0, stdout: 'one\nthree', stderr: 'two' }, given);
  }
  t.equal(master.requests[0]?.request, `GET /v1/instances/${instance}/log?stream=both&tail=7`);
});

t.test('weir task log --follow goes on until the instance has ended or is gone', async (t) => {
  const gone = { status: 404, body: { message: 'Instance does not exist' } };
  const master = await startFakeMaster({
    [`GET /v1/instances/${instance}/log`]: [
      { body: { lines: [out('a'), out('b'), out('c')] } },
      { body: { lines: [out('b'), out('c'), out('d'), err('e')] } },
      gone,
    ],
  });
  t.teardown(() => master.close());
  const words = ['task', 'log', instance, '--follow', '--tail', '2'];
  const { exitCode, stdout, stderr } = await weir(words, { master: master.url });
  t.same({ exitCode, stdout, stderr }, { exitCode: 0, stdout: 'b\nc\nd', stderr: 'e' });
  const ended = await startFakeMaster({
    [`GET /v1/instances/${instance}/log`]: [
      { body: { lines: [out('a')] } },
      { body: { lines: [out('a'), out('bye')], over: true } },
      gone,
    ],
  });
  t.teardown(() => ended.close());
  t.match(await weir(words, { master: ended.url }), { exitCode: 0, stdout: 'a\nbye' });
  const never = await startFakeMaster({ [`GET /v1/instances/${instance}/log`]: gone });
  t.teardown(() => never.close());
  t.match(await weir(words, { master: never.url }), { exitCode: 1, stderr: /does not exist/ });
});

t.test('a task that is not clear is asked for again, with those it may be', async (t) => {
  const tasks = ['1', '2'].map((n) => ({ id: `web.instance-${n}._app.1`, appId: '/web' }));
  const master = await startFakeMaster({ 'GET /v2/tasks': { body: { tasks } } });
  t.teardown(() => master.close());
  const many = await weir(['task', 'log', '/web'], { master: master.url });
  t.equal(many.exitCode, 1);
  t.match(many.stderr, /it may be any of web\.instance-1, web\.instance-2/);
  t.match(
    (await weir(['task', 'log', '/x'], { master: master.url })).stderr,
    /there is none\nnext: .*task list/,
  );
});

t.test(
  'newLines gives what a window of a log has beyond an earlier window, whatever lines repeat',
  async () => {
    const window = 8;
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b'), { maxLength: 20 }),
        fc.array(fc.constantFrom('a', 'b'), { maxLength: window }),
        (old, fresh) => {
          const lines = [...old, ...fresh].map(out);
          const before = lines.slice(0, old.length).slice(-window);
          const after = lines.slice(-window);
          const found = newLines(before, after).filter(({ stream }) => stream === 'stdout');
          // Of repeating lines it cannot be known how many are new; never more than came, and the newest are never wrong.
          const texts = found.map(({ text }) => text);
          return (
            texts.length <= Math.max(fresh.length, window) &&
            fresh.join('').endsWith(texts.slice(-fresh.length).join(''))
          );
        },
      ),
    );
  },
);

t.test('newLines says so when lines were lost, and keeps the streams apart', async (t) => {
  t.same(
    newLines([out('1'), out('2')], [out('8'), out('9')]).map(({ text }) => text),
    ['(lines are missing here: they came faster than they were read)', '8', '9'],
  );
  t.same(newLines([out('1'), err('x')], [err('x'), out('1'), out('2'), err('y')]), [out('2'), err('y')]);
});
