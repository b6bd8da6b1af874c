import t from 'tap';
import { FakeClock } from '../../core/kit/fake-clock.ts';
import { silentLog } from '../../core/kit/log.ts';
import type { Part } from '../../core/kit/part.ts';
import { Tenure } from './tenure.ts';

function tenureOf(restMs: number) {
  const clock = new FakeClock();
  const told: string[] = [];
  const part = (name: string): Part => ({
    start: async () => void told.push(`+${name}`),
    stop: async () => void told.push(`-${name}`),
  });
  const tenure = new Tenure([part('lock'), part('api')], { clock, log: silentLog, restMs, waits: false });
  return { clock, tenure, said: () => told.splice(0).join(' ') };
}

t.test('a master that abdicates answers first, lets others go ahead, and waits for its turn', async (t) => {
  const { clock, tenure, said } = tenureOf(2_000);
  await tenure.start();
  t.equal(said(), '+lock +api');
  tenure.abdicate();
  tenure.abdicate();
  await clock.advance(499);
  t.equal(said(), '', 'not yet');
  await clock.advance(1);
  t.equal(said(), '-api -lock');
  await clock.advance(1_999);
  t.equal(said(), '');
  await clock.advance(1);
  t.equal(said(), '+lock +api', 'once, however often it was asked');
  await tenure.stop();
});

t.test('a master that is ended while it rests does not come back', async (t) => {
  const { clock, tenure, said } = tenureOf(2_000);
  await tenure.start();
  tenure.abdicate();
  await clock.advance(1_000);
  said();
  await tenure.stop();
  await clock.advance(5_000);
  t.notMatch(said(), /\+/);
});
