import t, { type Test } from 'tap';
import { buildTable } from './edge/routes/route-table.ts';
import { answerEcho, askFor, fieldOf, type Question } from './edge/testing/echo.ts';
import { directory, endpoint, type Recorded, RecordingBackend, route } from './edge/testing/peers.ts';
import type { IngressEngine } from './engine.ts';

/** Another service decides about access. */
export function testAuthContract(name: string, create: () => IngressEngine): void {
  const host = 'web.test';
  const known = { Authorization: 'let-me-in', 'X-User': 'root', 'X-Role': 'admin', Cookie: 'a=1' };

  t.test(`${name} asks another service about each request, and adds what it says`, async (t) => {
    const { ask, text } = await setUp(t, create(), [decide]);
    const told = await ask({ method: 'DELETE', host, path: '/x%20y?z=%41', fields: known });
    t.equal(told.status, 200);
    const [question] = text().split('\r\n\r\n');
    t.match(question, /^GET \/ask HTTP\/1\.1\r\n/);
    t.equal(fieldOf(question!, 'x-forwarded-method'), 'DELETE');
    t.equal(fieldOf(question!, 'x-forwarded-uri'), '/x%20y?z=%41');
    for (const [field, value] of [
      ['host', host],
      ['cookie', 'a=1'],
      ['x-forwarded-for', '127.0.0.1'],
    ] as const)
      t.equal(fieldOf(question!, field), value, field);
    t.match(told.body, /\r\nX-User: ann\r\n/i);
    t.notMatch(told.body, /root|admin|X-Other/i);
    t.match(told.body, /^at web\r\nDELETE \/x%20y\?z=%41 /);
  });

  t.test(`${name} hands on what the other service answers to who may not ask`, async (t) => {
    const { ask, text } = await setUp(t, create(), [decide]);
    const told = await ask({ method: 'POST', host, fields: { 'X-User': 'root', 'Content-Length': '0' } });
    t.match(told, { status: 302, body: 'login' });
    t.equal(fieldOf(told.head, 'location'), '/login');
    t.same(
      told.head.match(/^set-cookie: .*$/gim)?.map((line) => line.toLowerCase()),
      ['set-cookie: a=1', 'set-cookie: b=2'],
    );
    t.equal(fieldOf(told.head, 'x-other'), undefined);
    t.notMatch(text(), /content-length/i);
  });

  t.test(`${name} lets nobody pass when the other service does not answer`, async (t) => {
    const broken = (recorded: Recorded) => recorded.socket.destroy();
    const { ask, apply } = await setUp(t, create(), [broken]);
    t.match(await ask({ host, fields: known }), { status: 503, body: /decides about access/ });
    await apply([]);
    t.match(await ask({ host, fields: known }), { status: 503, body: /decides about access/ });
  });

  t.test(`${name} asks those endpoints of the other service that there are`, async (t) => {
    const { ask, apply, ports } = await setUp(t, create(), [(it) => it.socket.destroy(), decide]);
    for (let n = 0; n < 4; n++)
      t.equal((await ask({ host, fields: known })).status, 200, 'one of two is broken');
    await apply(ports.slice(0, 1));
    t.equal((await ask({ host, fields: known })).status, 503);
    await apply(ports.slice(1));
    t.equal((await ask({ host, fields: known })).status, 200);
  });
}

function decide(recorded: Recorded): void {
  const isKnown = /Authorization: let-me-in/i.test(recorded.text.value);
  const yes = 'HTTP/1.1 204 No Content\r\nX-User: ann\r\nX-Other: no\r\n';
  const cookies = 'Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n';
  const no = `HTTP/1.1 302 Found\r\nLocation: /login\r\n${cookies}X-Other: no\r\nContent-Length: 5\r\n`;
  recorded.send(isKnown ? `${yes}Connection: close\r\n\r\n` : `${no}Connection: close\r\n\r\nlogin`);
  recorded.socket.end();
}

async function setUp(t: Test, engine: IngressEngine, others: readonly ((recorded: Recorded) => void)[]) {
  const web = new RecordingBackend(answerEcho('web'));
  const auths = others.map((answer) => new RecordingBackend(answer));
  const place = endpoint({ id: 'web-0', port: await web.start() });
  const ports = await Promise.all(auths.map((auth) => auth.start()));
  await engine.start();
  t.teardown(async () => {
    await engine.stop();
    await Promise.all([web, ...auths].map((backend) => backend.stop()));
  });
  const service = { appId: '/auth', portIndex: 0 };
  const options = { forwardAuth: { service, path: '/ask', copy: ['X-User', 'X-Role'] } };
  let revision = 0;
  const apply = (at: readonly number[]) => {
    const asked = at.map((port) => endpoint({ app: '/auth', id: `auth-${port}`, port }));
    return engine.apply(buildTable(directory(++revision, [place, ...asked], [{ ...route(), options }])));
  };
  await apply(ports);
  const { port } = engine.listening[0]!;
  const text = () => auths.map((auth) => auth.text).join('');
  return { apply, ports, text, ask: (question: Question) => askFor(port, question) };
}
