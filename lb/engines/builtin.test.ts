import t from 'tap';
import { PortInUse } from '../../core/kit/listen.ts';
import { portOfEngine, testEngine } from '../edge/testing/peers.ts';
import { testEngineContract } from '../engine.contract.ts';
import { testListenerContract } from '../engine-listeners.contract.ts';
import { testRouteContract } from '../engine-routes.contract.ts';

testEngineContract('the builtin engine', () => testEngine({ upstreamIdleMs: 600_000 }));
testListenerContract('the builtin engine', () => testEngine({ slowStartMs: 0 }));
testRouteContract('the builtin engine', () => testEngine({ slowStartMs: 0 }));

t.test('the builtin engine says which port is in use', async (t) => {
  const first = testEngine();
  await first.start();
  t.teardown(() => first.stop());
  const httpPort = portOfEngine(first);
  const second = testEngine({ httpPort });
  const failure = { code: 'WEIR_PORT_IN_USE', address: '127.0.0.1', port: httpPort };
  await t.rejects(second.start(), failure);
  await t.rejects(second.start(), PortInUse);
  t.same(second.listening, []);
});
