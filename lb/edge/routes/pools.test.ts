import t, { type Test } from 'tap';
import { readPool } from '../../../core/model/edgelb/read-pool.ts';
import { rewriteCases } from '../../../core/model/edgelb/testing/rewrite-cases.ts';
import { compilePool } from '../../../core/state/pools/compile.ts';
import { answerEach, directory, RecordingBackend, rawClient, serveWith } from '../testing/peers.ts';
import { buildTable } from './route-table.ts';

type Json = Readonly<Record<string, unknown>>;

/** An engine that serves the frontend of a pool, with a server for each backend that says the backend's name. */
async function served(t: Test, frontend: Json, backends: readonly Json[]) {
  const { engine, port } = await serveWith(t, []);
  const servers = backends.map(({ name }) => new RecordingBackend(answerEach(`[${name}]`)));
  t.teardown(async () => {
    await Promise.all(servers.map((server) => server.stop()));
  });
  const ports = await Promise.all(servers.map((server) => server.start()));
  const read = readPool({
    name: 'lb',
    haproxy: {
      frontends: [{ bindPort: 80, protocol: 'HTTP', ...frontend }],
      backends: backends.map((backend, n) => ({
        protocol: 'HTTP',
        services: [
          { endpoint: { type: 'ADDRESS', address: '127.0.0.1', port: ports[n], check: { enabled: false } } },
        ],
        ...backend,
      })),
    },
  });
  if (read.kind === 'faults') throw new Error(JSON.stringify(read.faults));
  const { routes, choosers } = compilePool(read.pool, {});
  const sets = [...choosers].map(([key, all]) => ({ key, sources: all.flatMap(({ fixed }) => fixed) }));
  const shared = routes.map(({ table: _, ...route }) => route);
  await engine.apply(
    buildTable({ ...directory(2, [], shared), serverSets: new Map(sets.map((set) => [set.key, set])) }),
  );
  const exchange = async (path: string, host: string, fields = '') => {
    const client = await rawClient(port);
    client.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}Connection: close\r\n\r\n`);
    await client.ended.until((ended) => ended);
    client.socket.destroy();
    return client.text.value;
  };
  return {
    servers,
    exchange,
    async ask(path: string, host = 'web.test') {
      const text = await exchange(path, host);
      return /\[(.*)\]/.exec(text)?.[1] ?? text.slice(9, 12);
    },
  };
}

const named = (...names: readonly string[]) => names.map((name) => ({ name }));

t.test('hostEq is the whole host whatever its case and port; a dot is a dot', async (t) => {
  const map = [{ backend: 'a', hostEq: 'www.example.com' }];
  const { ask } = await served(t, { linkBackend: { map, defaultBackend: 'rest' } }, named('a', 'rest'));
  for (const host of ['www.example.com', 'WWW.Example.com', 'www.example.com:8080', 'www.example.com.'])
    t.equal(await ask('/', host), 'a', host);
  for (const host of ['wwwxexample.com', 'a.www.example.com', 'www.example.com.evil'])
    t.equal(await ask('/', host), 'rest', host);
});

t.test('hostReg is found anywhere in the host with its port, whatever its case', async (t) => {
  const map = [
    { backend: 'port', hostReg: ':81$' },
    { backend: 'a', hostReg: 'example\\.(com|org)' },
  ];
  const { ask } = await served(
    t,
    { linkBackend: { map, defaultBackend: 'rest' } },
    named('port', 'a', 'rest'),
  );
  t.equal(await ask('/', 'x.EXAMPLE.org.de'), 'a');
  t.equal(await ask('/', 'example.com:81'), 'port');
  t.equal(await ask('/', 'example.net'), 'rest');
});

t.test('paths are compared by case, character by character, and without the query', async (t) => {
  const map = [
    { backend: 'beg', pathBeg: '/nginx' },
    { backend: 'end', pathEnd: '.png' },
    { backend: 'reg', pathReg: '[0-9]{3}' },
  ];
  const { ask } = await served(
    t,
    { linkBackend: { map, defaultBackend: 'rest' } },
    named('beg', 'end', 'reg', 'rest'),
  );
  for (const [path, backend] of [
    ['/nginx', 'beg'],
    ['/nginxfoo', 'beg'],
    ['/Nginx', 'rest'],
    ['/a.png', 'end'],
    ['/a?x=.png', 'rest'],
    ['/a/123', 'reg'],
    ['/a?123', 'rest'],
  ] as const)
    t.equal(await ask(path), backend, path);
});

t.test(
  'all conditions of an entry hold, and the first entry that fits is taken, however wide it is',
  async (t) => {
    const map = [
      { backend: 'both', hostEq: 'a.test', pathBeg: '/x', pathEnd: 'z' },
      { backend: 'path', pathBeg: '/x' },
      { backend: 'host', hostEq: 'a.test' },
      { backend: 'late', hostEq: 'a.test', pathBeg: '/xy' },
    ];
    const { ask } = await served(t, { linkBackend: { map } }, named('both', 'path', 'host', 'late'));
    t.equal(await ask('/xz', 'a.test'), 'both');
    t.equal(await ask('/xz', 'b.test'), 'path');
    t.equal(await ask('/xy', 'a.test'), 'path', 'listed before');
    t.equal(await ask('/', 'a.test'), 'host');
    t.equal(await ask('/', 'b.test'), '503', 'nothing takes it');
  },
);

for (const [from, to, asked, forwarded] of rewriteCases)
  t.test(`${from} rewritten to "${to}" makes ${forwarded} of ${asked}`, async (t) => {
    const rewriteHttp = { path: { fromPath: from, toPath: to } };
    const { ask, servers } = await served(t, { linkBackend: { defaultBackend: 'a' } }, [
      { name: 'a', rewriteHttp },
    ]);
    await ask(asked);
    t.match(servers[0]?.text, `GET ${forwarded} HTTP/1.1`);
  });

t.test('everything is sent to TLS with 307, but for the exceptions', async (t) => {
  const redirectToHttps = { except: [{ host: 'a.test', pathBeg: '/open' }, { pathBeg: '/health' }] };
  const { ask, exchange } = await served(
    t,
    { redirectToHttps, linkBackend: { defaultBackend: 'a' } },
    named('a'),
  );
  const answer = await exchange('/x?y', 'A.test:8080');
  t.match(answer, /^HTTP\/1\.1 307 /);
  t.match(answer.toLowerCase(), 'location: https://a.test/x?y\r\n');
  t.equal(await ask('/open/1', 'a.test'), 'a');
  t.equal(await ask('/open/1', 'b.test'), '307');
  t.equal(await ask('/health', 'b.test'), 'a');
});

t.test('a sticky client carries the name of its server, which the server does not see', async (t) => {
  const { exchange, servers } = await served(t, { linkBackend: { defaultBackend: 'a' } }, [
    { name: 'a', rewriteHttp: { sticky: {} } },
  ]);
  const answer = await exchange('/', 'a.test');
  const cookie = /Set-Cookie: (DCOS_SERVER_ID_FOR_THE_STICKY=([^;]+))/.exec(answer);
  t.match(Buffer.from(cookie?.[2] ?? '', 'base64').toString(), /^address_127\.0\.0\.1_\d+$/);
  t.match(answer, /Cache-Control: private/i);
  const again = await exchange('/', 'a.test', `Cookie: x=1; ${cookie?.[1]}\r\n`);
  t.notMatch(again, 'Set-Cookie');
  t.match(servers[0]?.connections.value.at(-1)?.text.value, /Cookie: x=1\r\n/);
  t.match(
    await exchange('/', 'a.test', 'Cookie: DCOS_SERVER_ID_FOR_THE_STICKY=gone\r\n'),
    /Set-Cookie: DCOS/,
  );
});

t.test('servers of weights 20 and 10 get two of three and one of three, a backup none', async (t) => {
  const { engine, port } = await serveWith(t, []);
  const servers = [0, 1, 2].map((n) => new RecordingBackend(answerEach(`[${n}]`)));
  const ports = await Promise.all(servers.map((server) => server.start()));
  t.teardown(async () => {
    await Promise.all(servers.map((server) => server.stop()));
  });
  const sources = ports.map((serverPort, n) => {
    const traits = [{ weight: 20 }, { weight: 10 }, { backup: true } as const][n];
    return { host: '127.0.0.1', port: serverPort, ...traits };
  });
  const rule = { id: 'r', host: 'a.test', pathPrefix: '/', owner: 'pool:a' };
  const options = { balance: 'round-robin' } as const;
  const routes = [{ ...rule, service: { appId: 'pool:a:b', portIndex: 0 }, options }];
  const serverSets = new Map([['pool:a:b', { key: 'pool:a:b', sources }]]);
  await engine.apply(buildTable({ ...directory(2, [], routes), serverSets }));
  const client = await rawClient(port);
  for (let n = 1; n <= 30; n++) {
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await client.until(']', n);
  }
  client.socket.destroy();
  const count = (n: number) => client.text.value.split(`[${n}]`).length - 1;
  t.same([count(0), count(1), count(2)], [20, 10, 0]);
});
