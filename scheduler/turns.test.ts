import t from 'tap';
import { Turns } from './turns.ts';

t.test('turns are taken one at a time in the order asked', async (t) => {
  const turns = new Turns();
  const log: string[] = [];
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    await Promise.resolve();
    log.push(`${name} ends`);
    return name;
  };
  t.same(await Promise.all([turns.take(work('a')), turns.take(work('b'))]), ['a', 'b']);
  t.same(log, ['a begins', 'a ends', 'b begins', 'b ends']);
});

t.test('a turn that fails tells its own asker and nobody else', async (t) => {
  const turns = new Turns();
  const failing = turns.take(async () => {
    throw new Error('no');
  });
  const next = turns.take(async () => 'yes');
  await t.rejects(failing, { message: 'no' });
  t.equal(await next, 'yes');
  await turns.idle();
});
