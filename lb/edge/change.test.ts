import t from 'tap';
import { buildTable } from './routes/route-table.ts';
import { answerEach, directory, type Recorded, rawClient, route, serveWith } from './testing/peers.ts';

const get = 'GET / HTTP/1.1\r\nHost: web.test\r\n\r\n';
const post = 'POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 4\r\n\r\nbody';

/** Answers after some turns of the event loop, so that requests are always in flight. */
function slowly(answer: (recorded: Recorded) => void, turns: number) {
  return async (recorded: Recorded) => {
    for (let n = 0; n < turns; n++) await new Promise((resolve) => setImmediate(resolve));
    answer(recorded);
  };
}

const clients = 20;
const requestsPerClient = 100;

t.test(
  '2000 requests while endpoints leave, are stopped when idle, and come back: none is lost',
  async (t) => {
    const answers = [0, 1, 2].map((n) => slowly(answerEach('ok'), 3 + n));
    const { engine, backends, endpoints, port } = await serveWith(t, answers);
    let served = 0;
    let changes = 0;
    let revision = 1;
    let running = true;

    /** The drain protocol: out of the table, wait for what is in flight, then (and only then) cut every connection. */
    const rotate = async () => {
      while (running) {
        const leaving = changes++ % 3;
        await engine.apply(buildTable(directory(++revision, endpoints.toSpliced(leaving, 1))));
        while ((await engine.inFlight()).has(`web-${leaving}`)) await new Promise((r) => setImmediate(r));
        for (const { socket } of backends[leaving]!.connections.value) socket.resetAndDestroy();
        await engine.apply(buildTable(directory(++revision, endpoints)));
        for (let n = 0; n < 20; n++) await new Promise((r) => setImmediate(r));
      }
    };

    const load = async () => {
      const client = await rawClient(port);
      for (let n = 1; n <= requestsPerClient; n++) {
        client.send(n % 2 === 0 ? get : post);
        await client.until('HTTP/1.1 ', n);
        served++;
      }
      t.equal(client.text.value.split('HTTP/1.1 200 OK').length - 1, requestsPerClient);
      client.socket.destroy();
    };

    const rotating = rotate();
    try {
      await Promise.all(Array.from({ length: clients }, load));
    } finally {
      running = false;
      await rotating;
    }
    t.equal(served, clients * requestsPerClient);
    t.ok(changes > 5, `${changes} changes`);
    t.equal((await engine.stats()).connectFailures, 0);
  },
);

t.test('connections of a deleted route are drained, and no others', async (t) => {
  const upgrade = (recorded: Recorded) => {
    const heads = recorded.text.value.split('\r\n\r\n').slice(0, -1);
    for (const head of heads.slice(recorded.answered)) {
      recorded.answered++;
      if (head.includes('Upgrade: echo'))
        recorded.send('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
      else recorded.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    }
  };
  const { engine, endpoints, port } = await serveWith(t, [upgrade], { drainMs: 50 });
  const routes = ['gone.test', 'kept.test'].map((host) => route({ host }));
  await engine.apply(buildTable(directory(2, endpoints, routes)));
  const ask = async (host: string, fields = '') => {
    const client = await rawClient(port);
    client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`);
    await client.until('\r\n\r\n');
    return client;
  };
  const toEcho = 'Connection: upgrade\r\nUpgrade: echo\r\n';
  const [gone, kept] = [await ask('gone.test'), await ask('kept.test')];
  const [goneTunnel, keptTunnel] = [await ask('gone.test', toEcho), await ask('kept.test', toEcho)];
  await engine.apply(buildTable(directory(3, endpoints, routes.slice(1))));
  gone.send('GET / HTTP/1.1\r\nHost: kept.test\r\n\r\n');
  await gone.ended.until((ended) => ended);
  t.match(gone.text.value, /200 OK[\s\S]*200 OK[\s\S]*Connection: close/, 'its last answer says so');
  kept.send('GET / HTTP/1.1\r\nHost: kept.test\r\n\r\n');
  t.notMatch(await kept.until('HTTP/1.1 200', 2), 'Connection: close');
  await goneTunnel.ended.until((ended) => ended);
  t.notOk(keptTunnel.ended.value);
  for (const client of [gone, kept, goneTunnel, keptTunnel]) client.socket.destroy();
});
