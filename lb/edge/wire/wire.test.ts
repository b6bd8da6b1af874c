import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import t from 'tap';
import { createScratch } from './scratch.ts';
import { acceptedWire, type WireUser } from './wire.ts';

const nobody: WireUser = { bytes() {}, ended() {}, drained() {}, closed() {} };

type Handle = { setNoDelay(on: boolean): number };

t.test(
  'what is written to a client leaves without waiting for what came before to be acknowledged',
  async (t) => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { promise, resolve } = Promise.withResolvers<Handle>();
    const listening = Reflect.get(server, '_handle') as object;
    Reflect.set(listening, 'onconnection', (_error: number, handle: Handle) => resolve(handle));
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const handle = await promise;
    const told: boolean[] = [];
    const usual = handle.setNoDelay;
    handle.setNoDelay = (on) => {
      told.push(on);
      return usual.call(handle, on);
    };
    const wire = acceptedWire(handle, createScratch(8), nobody);
    t.same(told, [true]);
    wire.destroy();
    client.destroy();
    server.close();
  },
);
