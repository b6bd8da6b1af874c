import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { buildTable } from '../routes/route-table.ts';
import { answerEach, directory, type Recorded, rawClient, serveWith } from '../testing/peers.ts';

const upgrade =
  'GET /chat HTTP/1.1\r\nHost: web.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: abc\r\n\r\n';
const agreed = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

const run = promisify(execFile);

/** Agrees to an upgrade, then sends back what it gets in angle brackets. */
function echo(recorded: Recorded): void {
  const text = recorded.text.value;
  const start = text.indexOf('\r\n\r\n') + 4;
  if (start === 3) return;
  if (recorded.answered === 0) {
    recorded.send(`${agreed}hello `);
    recorded.answered = start;
  }
  if (text.length > recorded.answered) recorded.send(`<${text.slice(recorded.answered)}>`);
  recorded.answered = text.length;
}

t.test('an upgraded connection carries bytes both ways, also those that came early', async (t) => {
  const { port, backends } = await serveWith(t, [echo]);
  const client = await rawClient(port);
  client.send(upgrade);
  const head = await client.until('hello ');
  t.match(head, /^HTTP\/1\.1 101 [\s\S]*Upgrade: websocket\r\n[\s\S]*Connection: upgrade\r\n[\s\S]*hello $/);
  t.match(
    backends[0]!.text,
    /Sec-WebSocket-Key: abc\r\n[\s\S]*Connection: upgrade\r\nUpgrade: websocket\r\n/,
  );
  client.send('one');
  await client.until('<one>');
  client.send('\x00\xff');
  await client.until('<\x00\xff>');
  client.socket.destroy();
});

t.test('an upgraded connection outlives the route and the endpoint it came by, and is counted', async (t) => {
  const { port, engine } = await serveWith(t, [echo]);
  const client = await rawClient(port);
  client.send(upgrade);
  await client.until('hello ');
  await engine.apply(buildTable(directory(2, [], [])));
  t.same(await engine.inFlight(), new Map([['web-0', 1]]));
  client.send('still here');
  await client.until('<still here>');
  client.socket.destroy();
});

t.test('an upgraded connection closes on one side when the other side closes', async (t) => {
  const { port, backends, engine } = await serveWith(t, [echo]);
  const client = await rawClient(port);
  client.send(upgrade);
  await client.until('hello ');
  const connection = backends[0]!.connections.value[0]!;
  connection.send('bye');
  connection.socket.end();
  await client.ended.until((ended) => ended);
  t.match(client.text.value, /bye$/);
  client.send('last words');
  await connection.until('last words');
  client.socket.end();
  await connection.closed.until((closed) => closed);
  await client.closed.until((closed) => closed);
  while ((await engine.inFlight()).size > 0) await new Promise((resolve) => setImmediate(resolve));
});

t.test('an endpoint that vanishes takes its upgraded connections with it', async (t) => {
  const { port, backends, engine } = await serveWith(t, [echo]);
  const client = await rawClient(port);
  client.send(upgrade);
  await client.until('hello ');
  backends[0]!.connections.value[0]!.socket.resetAndDestroy();
  await client.closed.until((closed) => closed);
  t.same(await engine.inFlight(), new Map());
});

t.test('an upgraded connection is watched on both sides: a peer that vanished is noticed', async (t) => {
  const { port, backends } = await serveWith(t, [echo]);
  const watched = async () => {
    const ends = `( sport = :${port} or dport = :${backends[0]!.port} )`;
    const { stdout } = await run('ss', ['--no-header', '--tcp', '--numeric', '--options', ends]);
    return stdout.split('timer:(keepalive').length - 1;
  };
  const client = await rawClient(port);
  t.equal(await watched(), 0);
  client.send(upgrade);
  await client.until('hello ');
  t.equal(await watched(), 2);
  client.socket.destroy();
});

t.test('an endpoint may refuse to upgrade, and the connection goes on as it was', async (t) => {
  const answer = 'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno';
  const { port } = await serveWith(t, [
    (recorded) => {
      const heads = recorded.text.value.split('\r\n\r\n').length - 1;
      for (; recorded.answered < heads; recorded.answered++) recorded.send(answer);
    },
  ]);
  const client = await rawClient(port);
  client.send(upgrade);
  await client.until('\r\n\r\nno');
  client.send(upgrade);
  await client.until('\r\n\r\nno', 2);
  client.socket.destroy();
});

t.test('an endpoint that switches to what nobody asked for is a bad gateway', async (t) => {
  for (const fields of ['', 'Upgrade:\r\n', 'Upgrade: other\r\n', 'Upgrade: websocket, other\r\n']) {
    const { port } = await serveWith(t, [
      (recorded) => recorded.send(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${fields}\r\n`),
    ]);
    const client = await rawClient(port);
    client.send(upgrade);
    t.match(await client.until('Request id: '), /^HTTP\/1\.1 502 /, JSON.stringify(fields));
    client.socket.destroy();
  }
});

t.test('what is no protocol is not asked for at the endpoint', async (t) => {
  const { port, backends } = await serveWith(t, [answerEach()]);
  const lists = [
    '',
    'web socket',
    ',websocket',
    'websocket, h2c',
    'HTTP/2.0',
    'TLS/1.2',
    '\xa0websocket',
    'a/b/c',
  ];
  for (const list of lists) {
    const client = await rawClient(port);
    client.send(upgrade.replace('Upgrade: websocket', `Upgrade: ${list}`));
    t.match(await client.until('\r\n\r\nok'), /^HTTP\/1\.1 200 /, list);
    client.socket.destroy();
  }
  t.notMatch(backends[0]!.text, /^upgrade:|^connection:/im);
});

t.test('CONNECT is refused, and told that no method leads there', async (t) => {
  const { port } = await serveWith(t, [answerEach()]);
  const client = await rawClient(port);
  client.send('CONNECT web.test:443 HTTP/1.1\r\nHost: web.test:443\r\n\r\n');
  t.match(await client.until('Request id: '), /^HTTP\/1\.1 405 [\s\S]*\r\nAllow: ?\r\n/);
  client.socket.destroy();
});
