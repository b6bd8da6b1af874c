import t from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { testRouteContract } from '../../engine-routes.contract.ts';
import { HaproxyEngine } from './haproxy.ts';

testRouteContract('the engine haproxy', () => {
  const warn = (text: string) => t.comment(text);
  return new HaproxyEngine({ clock: systemClock, warn }, { httpPort: 0, stopMs: 100, slowStartMs: 0 });
});
