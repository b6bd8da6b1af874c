import t from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { testLogContract } from '../../engine-log.contract.ts';
import { HaproxyEngine } from './haproxy.ts';

testLogContract('the engine haproxy', ({ accessLog }) => {
  const warn = (text: string) => t.comment(text);
  return new HaproxyEngine(
    { clock: systemClock, warn },
    { httpPort: 0, stopMs: 100, slowStartMs: 0, accessLog },
  );
});
