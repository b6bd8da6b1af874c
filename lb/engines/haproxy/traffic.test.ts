import t from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { testTlsContract } from '../../engine-tls.contract.ts';
import { testTrafficContract } from '../../engine-traffic.contract.ts';
import { HaproxyEngine } from './haproxy.ts';

const settings = { httpPort: 0, stopMs: 100, slowStartMs: 0 };
const warn = (text: string) => t.comment(text);

testTrafficContract('the engine haproxy', () => new HaproxyEngine({ clock: systemClock, warn }, settings));
testTlsContract('the engine haproxy', (issue) => {
  const engine = new HaproxyEngine({ clock: systemClock, warn, issue }, { ...settings, httpsPort: 0 });
  return { engine, give: (certificates) => engine.give(certificates) };
});
