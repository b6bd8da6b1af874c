import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import t from 'tap';
import { buildTable } from '../routes/route-table.ts';
import { answerEach, directory, endpoint, rawClient, route, serveWith } from '../testing/peers.ts';

const megabyte = 2 ** 20;

t.test(
  'a mirror that does not read is given up before much waits for it, and the request goes on',
  async (t) => {
    const server = createServer({ pauseOnConnect: true }, () => {}).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const arrived = once(server, 'connection') as Promise<[Socket]>;
    const { engine, endpoints, backends, port } = await serveWith(t, [answerEach()]);
    t.teardown(() => {
      server.close();
    });
    const service = { appId: '/mirror', portIndex: 0 };
    const all = [...endpoints, endpoint({ app: '/mirror', port: (server.address() as AddressInfo).port })];
    const options = { mirror: { service, percent: 100 } };
    await engine.apply(buildTable(directory(2, all, [{ ...route(), options }])));
    let kept = 0;
    const length = 64 * megabyte;
    const client = await rawClient(port);
    client.send(`POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: ${length}\r\n\r\n`);
    await backends[0]!.connections.until((connections) => connections.length === 1);
    const { socket } = backends[0]!.connections.value[0]!;
    const whole = Promise.withResolvers<void>();
    socket.removeAllListeners('data').on('data', (bytes: Buffer) => {
      kept += bytes.length;
      if (kept >= length) whole.resolve();
    });
    const [copy] = await arrived;
    for (let n = 0; n < 64; n++)
      if (!client.socket.write(Buffer.alloc(megabyte))) await once(client.socket, 'drain');
    await whole.promise;
    let copied = 0;
    copy.on('data', (bytes: Buffer) => {
      copied += bytes.length;
    });
    copy.on('error', () => {});
    copy.resume();
    await once(copy, 'close');
    t.ok(copied < length / 2, `it was sent ${copied} bytes`);
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    t.match(await client.until('ok'), /200 OK/);
    client.socket.destroy();
  },
);
