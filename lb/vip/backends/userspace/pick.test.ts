import t from 'tap';
import { vip } from '../../backend.contract.ts';
import type { VipService } from '../../table.ts';
import { type Chooser, tryOrder } from './pick.ts';

const target = (n: number, weight = 1) => ({ instanceId: `i${n}`, address: `10.0.0.${n}`, port: 80, weight });
const of = (balance: VipService['balance'], ...weights: readonly number[]): VipService => ({
  ...vip(
    'tcp',
    '127.94.0.1',
    80,
    weights.map((weight, n) => target(n + 1, weight)),
  ),
  ...(balance === undefined ? {} : { balance }),
});
const client = (address: string, port = 1) => ({ address, port });
const chooser = (fields: Partial<Chooser> = {}): Chooser => ({
  random: Math.random,
  open: () => 0,
  ejected: new Set(),
  ...fields,
});
const first = (service: VipService, at = client('127.0.0.1'), how = chooser()) =>
  tryOrder(service, at, how)[0]?.instanceId;

t.test('a connection tries every backend once, those that failed lately last', async (t) => {
  const order = tryOrder(
    of(undefined, 1, 1, 1),
    client('127.0.0.1'),
    chooser({ ejected: new Set(['tcp:10.0.0.2:80']) }),
  );
  t.same(order.map(({ instanceId }) => instanceId).sort(), ['i1', 'i2', 'i3']);
  t.equal(order.at(-1)?.instanceId, 'i2');
  t.same(tryOrder(of(undefined), client('127.0.0.1'), chooser()), []);
});

t.test('a connection goes by weight, by who asks, or to the least loaded', async (t) => {
  const draws = Array.from({ length: 400 }, (_, i) =>
    first(of(undefined, 1, 3), client('a'), chooser({ random: () => i / 400 })),
  );
  t.equal(draws.filter((name) => name === 'i2').length, 300);
  const sticky = Array.from({ length: 20 }, (_, port) =>
    first(of('source-hash', 1, 1, 1), client('10.9.9.9', port)),
  );
  t.equal(new Set(sticky).size, 1, 'whatever the port');
  const flows = Array.from({ length: 50 }, (_, port) =>
    first(of('maglev', 1, 1, 1), client('10.9.9.9', port)),
  );
  t.equal(new Set(flows).size, 3);
  const open = (key: string) => (key.includes('0.0.2') ? 1 : 5);
  t.equal(first(of('least-connections', 1, 1, 1), client('a'), chooser({ open })), 'i2');
});
