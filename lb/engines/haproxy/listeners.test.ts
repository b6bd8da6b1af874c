import t from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { listener } from '../../edge/testing/listeners.ts';
import { testListenerContract } from '../../engine-listeners.contract.ts';
import { HaproxyEngine } from './haproxy.ts';

function create(): HaproxyEngine {
  const warn = (text: string) => t.comment(text);
  return new HaproxyEngine({ clock: systemClock, warn }, { httpPort: 0, stopMs: 100, slowStartMs: 0 });
}

testListenerContract('the engine haproxy', create);

t.test('the engine haproxy says that it does not carry UDP', async (t) => {
  const engine = create();
  await engine.start();
  t.teardown(() => engine.stop());
  await t.rejects(engine.open(listener('udp')), { code: 'WEIR_HAPROXY_LISTENER' });
});
