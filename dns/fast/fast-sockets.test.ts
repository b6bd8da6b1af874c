import t from 'tap';
import { socketsContract } from '../sockets.contract.ts';
import { udpExchange } from '../testing/client.ts';
import { fastSockets } from './fast-sockets.ts';
import { openLibc } from './libc.ts';
import { fastWhenBusy } from './when-busy.ts';

const libc = openLibc();
if (libc === undefined) {
  t.pass('skipped: this runtime cannot call the C library, the plain layer is used', { skip: true });
} else {
  t.test('fast', async (t) => socketsContract(t, fastSockets(libc)));
  t.test('two threads', async (t) => socketsContract(t, fastSockets(libc, 2)));
  t.test('not busy yet', async (t) => socketsContract(t, fastWhenBusy(libc)));
  t.test('busy from the first question on', async (t) => {
    socketsContract(t, fastWhenBusy(libc, { busyPerSecond: 1, now: () => 0 }));
  });
  t.test('an address that becomes busy loses no question while it changes over', async (t) => {
    const layer = fastWhenBusy(libc, { busyPerSecond: 10, now: () => 0 });
    const at = await layer.open({ address: '127.0.0.1', port: 0 }, (packet) => packet);
    t.teardown(() => at.close());
    const packets = Array.from({ length: 400 }, (_, i) => Buffer.from([i >> 8, i & 255]));
    for (let first = 0; first < packets.length; first += 20) {
      const some = packets.slice(first, first + 20);
      t.same(await Promise.all(some.map((packet) => udpExchange(at, packet))), some);
    }
  });
}
