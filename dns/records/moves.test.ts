import t from 'tap';
import type { Endpoint } from '../../core/model/directory.ts';
import { containerEndpoint, hostEndpoint, port } from '../testing/directory.ts';
import { movesOf } from './moves.ts';

const at = (ip: string, parts: Partial<Endpoint> = {}) =>
  containerEndpoint('/web', 'a', { addresses: [{ network: 'weir', ip }], ...parts });
const before = at('100.64.1.1');

t.test('an endpoint with another address moves the record that leads back from it', async (t) => {
  t.same(movesOf(before, at('100.64.1.2')), [
    { from: '1.1.64.100.in-addr.arpa', to: '2.1.64.100.in-addr.arpa' },
  ]);
  t.same(movesOf(before, { ...before }), []);
});

t.test('whatever else may change a name is more than a move', async (t) => {
  const http = { name: 'http', address: '100.64.1.2', port: 80, containerPort: 80 };
  const others: Record<string, Endpoint> = {
    'is not ready': at('100.64.1.2', { ready: false }),
    'is another task': at('100.64.1.2', { taskId: 'web.instance-a._app.2' }),
    'is on another agent': at('100.64.1.2', { agentId: 'agent-S2' }),
    'has its machine at another address': at('100.64.1.2', { agentAddress: '100.64.255.2' }),
    'has the address of its machine': at('100.64.255.1'),
    'has what is no address': at('nowhere'),
    'has no address': hostEndpoint('/web', 'a', 31_000),
    'has another port name': at('100.64.1.2', { ports: [port({ ...http, name: 'web' })] }),
    'has another protocol': at('100.64.1.2', { ports: [port({ ...http, protocols: ['udp'] })] }),
    'has a host port': at('100.64.1.2', { ports: [port({ ...http, hostPort: 31_000 })] }),
    'has its port elsewhere': at('100.64.1.2', { ports: [port({ ...http, address: '100.64.255.1' })] }),
    'has a port more': at('100.64.1.2', { ports: [port(http), port({ ...http, index: 1 })] }),
  };
  for (const [what, after] of Object.entries(others)) t.equal(movesOf(before, after), undefined, what);
});
