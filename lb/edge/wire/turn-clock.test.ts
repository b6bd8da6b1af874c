import t from 'tap';
import { TurnClock } from './turn-clock.ts';

t.test('the clock of a turn stands still until the next one', async (t) => {
  let time = 1;
  const clock = new TurnClock({ now: () => time, sleep: async () => {} });
  const first = clock.now();
  time = 6;
  const second = clock.now();
  await new Promise((resolve) => setImmediate(resolve));
  t.same([first, second, clock.now()], [1, 1, 6]);
});
