import t from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { testAuthContract } from '../../engine-auth.contract.ts';
import { testClientContract } from '../../engine-clients.contract.ts';
import { type TlsEngine, testTlsContract } from '../../engine-tls.contract.ts';
import { testTrafficContract } from '../../engine-traffic.contract.ts';
import type { Issue } from './certificate-keeper.ts';
import { HaproxyEngine } from './haproxy.ts';

const settings = { httpPort: 0, stopMs: 100, slowStartMs: 0 };
const warn = (text: string) => t.comment(text);

testTrafficContract('the engine haproxy', () => new HaproxyEngine({ clock: systemClock, warn }, settings));
testAuthContract('the engine haproxy', () => new HaproxyEngine({ clock: systemClock, warn }, settings));
testTlsContract('the engine haproxy', createSecure);
testClientContract('the engine haproxy', createSecure);

function createSecure(issue: Issue): TlsEngine {
  const engine = new HaproxyEngine({ clock: systemClock, warn, issue }, { ...settings, httpsPort: 0 });
  return { engine, give: (certificates) => engine.give(certificates) };
}
