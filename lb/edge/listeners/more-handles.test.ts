import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import t from 'tap';
import { moreHandles } from './more-handles.ts';

t.test('connections that wait together are taken together', async (t) => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const listening = Reflect.get(server, '_handle') as object;
  const usual: unknown = Reflect.get(listening, 'onconnection');
  const more = moreHandles(listening);
  const taken: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  Reflect.set(listening, 'onconnection', function (this: object, error: number, handle: object) {
    let count = 0;
    for (let next: object | undefined = handle; next !== undefined; next = more(), count++)
      Reflect.apply(usual as () => void, this, [error, next]);
    taken.push(count);
    if (taken.reduce((sum, n) => sum + n, 0) === 20) resolve();
  });
  server.on('connection', (socket) => socket.end(`hello ${socket.remotePort}`));
  // All connect within one turn of the loop: the kernel has them before the server is asked.
  const clients = Array.from({ length: 20 }, () => connect({ port, host: '127.0.0.1' }));
  await promise;
  t.ok(taken.length < 20, `in ${taken.length} turns`);
  for (const client of clients) {
    const [bytes] = (await once(client, 'data')) as [Buffer];
    t.equal(`${bytes}`, `hello ${client.localPort}`);
    client.destroy();
  }
  server.close();
});

t.test('what is no handle of the runtime has no more', (t) => {
  t.equal(moreHandles({})(), undefined);
  t.end();
});
