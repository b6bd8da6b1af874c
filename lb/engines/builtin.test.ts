import t from 'tap';
import { systemClock } from '../../core/kit/clock.ts';
import { PortInUse } from '../../core/kit/listen.ts';
import { asksClients } from '../edge/routes/match.ts';
import { emptyTable, type RouteTable } from '../edge/routes/route-table.ts';
import { portOfEngine, testEngine } from '../edge/testing/peers.ts';
import { CertificateCache, type KeyAndCertificate } from '../edge/tls/certificates.ts';
import { testEngineContract } from '../engine.contract.ts';
import { testAuthContract } from '../engine-auth.contract.ts';
import { testClientContract } from '../engine-clients.contract.ts';
import { testListenerContract } from '../engine-listeners.contract.ts';
import { testLogContract } from '../engine-log.contract.ts';
import { testRouteContract } from '../engine-routes.contract.ts';
import { type TlsEngine, testTlsContract } from '../engine-tls.contract.ts';
import { testTrafficContract } from '../engine-traffic.contract.ts';
import { BuiltinEngine } from './builtin.ts';

testEngineContract('the builtin engine', () => testEngine({ upstreamIdleMs: 600_000 }));
testListenerContract('the builtin engine', () => testEngine({ slowStartMs: 0 }));
testRouteContract('the builtin engine', () => testEngine({ slowStartMs: 0 }));

testLogContract('the builtin engine', ({ accessLog }) => testEngine({ slowStartMs: 0, accessLog }));

testTrafficContract('the builtin engine', () => testEngine({ slowStartMs: 0 }));
testAuthContract('the builtin engine', () => testEngine({ slowStartMs: 0 }));
testTlsContract('the builtin engine', createSecure);
testClientContract('the builtin engine', createSecure);

function createSecure(issue: (host: string) => Promise<KeyAndCertificate>): TlsEngine {
  let table = emptyTable;
  const served = {
    isServed: (host: string) => host.endsWith('.test'),
    asksClients: (host: string, scope?: string) => asksClients(table, host, scope),
  };
  const certificates = new CertificateCache(issue, served);
  const dependencies = { clock: systemClock, chance: Math.random, requestId: () => 'id', certificates };
  const engine = new BuiltinEngine(dependencies, { httpPort: 0, httpsPort: 0, stopMs: 100 });
  const follow = (next: RouteTable) => {
    table = next;
  };
  return { engine, give: (given) => certificates.give(given), follow };
}

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
