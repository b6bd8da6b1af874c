import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import t, { type Test } from 'tap';
import { systemClock } from '../core/kit/clock.ts';
import { type ProbeRequest, probe, type Verdict } from './probe.ts';
import type { ProbeTarget } from './probe-target.ts';
import type { ContainerSpec } from './runtime.ts';
import { FakeMachine } from './runtimes/fake/fake-machine.ts';
import { FakeRuntime } from './runtimes/fake/fake-runtime.ts';

/** Key and certificate of nobody, signed by nobody, long expired; for this test only. */
const nobody = readFileSync(new URL('testdata/nobody.pem', import.meta.url));

for (const [status, healthy] of [
  [200, true],
  [204, true],
  [302, true],
  [399, true],
  [400, false],
  [503, false],
] as const) {
  t.test(
    `an HTTP probe that is answered with ${status} is ${healthy ? 'healthy' : 'not healthy'}`,
    async (t) => {
      const port = await serve(
        t,
        createHttp((_, response) => response.writeHead(status, { location: '/x' }).end()),
      );
      t.equal(await run({ target: http(port) }), healthy ? undefined : `HTTP status ${status}`);
    },
  );
}

t.test('an HTTP probe asks for its path and does not wait for the body', async (t) => {
  const asked: (string | undefined)[] = [];
  const endless: RequestListener = (request, response) => {
    asked.push(request.url);
    response.writeHead(200).write('and so on');
  };
  const port = await serve(t, createHttp(endless));
  t.equal(await run({ target: { ...http(port), path: '/health?x=1' } }), undefined);
  t.same(asked, ['/health?x=1']);
});

t.test('an HTTP probe that is not answered in time says so', async (t) => {
  const port = await serve(
    t,
    createHttp(() => {}),
  );
  t.equal(await run({ target: http(port), timeoutMs: 100 }), 'no answer within 0.1 s');
});

t.test('an HTTPS probe does not verify the certificate', async (t) => {
  const port = await serve(
    t,
    createHttps({ key: nobody, cert: nobody }, (_, response) => response.end('ok')),
  );
  t.equal(await run({ target: { ...http(port), tls: true } }), undefined);
});

t.test('a probe of a closed port gives the words of the system', async (t) => {
  const server = createTcp().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  t.match(await run({ target: http(port) }), /ECONNREFUSED/);
  t.match(await run({ target: { kind: 'tcp', host: '127.0.0.1', port } }), /ECONNREFUSED/);
});

t.test('a TCP probe of a listening port is healthy', async (t) => {
  const port = await serve(t, createTcp());
  t.equal(await run({ target: { kind: 'tcp', host: '127.0.0.1', port } }), undefined);
});

t.test('a COMMAND probe is healthy by the exit code of a shell line in the container', async (t) => {
  t.equal(await run({ target: { kind: 'command', argv: ['/bin/sh', '-c', 'good'] } }), undefined);
  t.equal(await run({ target: { kind: 'command', argv: ['/bin/sh', '-c', 'bad'] } }), 'exit code 3: no luck');
});

t.test('a COMMAND probe that takes too long is not healthy', async (t) => {
  t.match(
    await run({ target: { kind: 'command', argv: ['/bin/sh', '-c', 'hang'] }, timeoutMs: 50 }),
    /no end within 50 ms|no answer/,
  );
});

t.test('a probe of an instance without the port is not healthy', async (t) => {
  t.equal(await run({ target: { kind: 'none', cause: 'no port' } }), 'no port');
});

t.test('a probe rejects when it is given up', async (t) => {
  const giveUp = new AbortController();
  const port = await serve(
    t,
    createHttp(() => giveUp.abort(new Error('given up'))),
  );
  await t.rejects(run({ target: http(port), signal: giveUp.signal }), { message: 'given up' });
});

t.test('an answer of class 1xx is a failure, or says nothing where the check ignores it', async (t) => {
  const early = await serve(
    t,
    createTcp((socket) => socket.write('HTTP/1.1 102 Processing\r\n\r\n')),
  );
  const switching = await serve(
    t,
    createTcp((socket) =>
      socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
    ),
  );
  for (const [port, status] of [
    [early, 102],
    [switching, 101],
  ] as const) {
    t.equal(await run({ target: http(port), timeoutMs: 200 }), `HTTP status ${status}`);
    t.equal(await run({ target: http(port), timeoutMs: 200, ignores1xx: true }), null);
  }
});

t.test('an interim answer does not hide the one that follows it', async (t) => {
  const port = await serve(
    t,
    createHttp((_, response) => {
      response.writeEarlyHints({ link: '</x>; rel=preload' });
      response.writeHead(500).end();
    }),
  );
  t.equal(await run({ target: http(port), ignores1xx: true }), 'HTTP status 500');
});

async function run(some: Partial<ProbeRequest> & { target: ProbeTarget }): Promise<Verdict> {
  const machine = new FakeMachine({
    clock: systemClock,
    programOf: () => ({
      exec: ({ argv }) => {
        if (argv[2] === 'hang') return 'hang';
        return argv[2] === 'good' ? { exitCode: 0, output: '' } : { exitCode: 3, output: 'no luck\n' };
      },
    }),
  });
  const runtime = new FakeRuntime({ machine, clock: systemClock });
  await runtime.create({ id: 'web', logDir: '/logs' } as ContainerSpec);
  await runtime.start('web');
  const signal = new AbortController().signal;
  return probe(runtime, { container: 'web', timeoutMs: 10_000, signal, ...some });
}

function http(port: number): Extract<ProbeTarget, { kind: 'http' }> {
  return { kind: 'http', tls: false, host: '127.0.0.1', port, path: '/' };
}

async function serve(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}
