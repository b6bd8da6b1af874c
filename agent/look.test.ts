import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import t, { type Test } from 'tap';
import { systemClock } from '../core/kit/clock.ts';
import type { GeneralCheck } from '../core/model/checks.ts';
import { lookAt } from './look.ts';
import { pollReadiness } from './poll.ts';
import type { ContainerSpec } from './runtime.ts';
import { FakeMachine } from './runtimes/fake/fake-machine.ts';
import { FakeRuntime } from './runtimes/fake/fake-runtime.ts';
import { appOf, assignmentOf } from './testing/assignments.ts';

t.test('a general check by HTTP says the status, whatever it is', async (t) => {
  const port = await serve(
    t,
    createHttp((_, response) => response.writeHead(503).end()),
  );
  t.same(await look({ http: { port, path: 'up' } }), { kind: 'http', statusCode: 503 });
});

t.test('a general check without an answer has a result without a number', async (t) => {
  const silent = await serve(
    t,
    createTcp(() => {}),
  );
  t.same(await look({ http: { port: silent }, timeoutSeconds: 0.05 }), { kind: 'http' });
  t.same(await look({ exec: { command: { shell: 'hang' } }, timeoutSeconds: 0.05 }), { kind: 'command' });
});

t.test('a general check by TCP says whether it connects', async (t) => {
  const port = await serve(t, createTcp());
  t.same(await look({ tcp: { port } }), { kind: 'tcp', succeeded: true });
  t.same(await look({ tcp: { port: 1 } }), { kind: 'tcp', succeeded: false });
  t.same(await look({ tcp: { portIndex: 7 } }), { kind: 'tcp', succeeded: false });
});

t.test('a general check by a command says its exit code, by shell or by words', async (t) => {
  t.same(await look({ exec: { command: { shell: 'bad' } } }), { kind: 'command', exitCode: 3 });
  t.same(await look({ exec: { command: { argv: ['a', 'b', 'good'] } } }), { kind: 'command', exitCode: 0 });
});

t.test('a poll of a readiness check gives the response, and what it cannot reach as 504', async (t) => {
  const port = await serve(
    t,
    createHttp(({ url }, response) => response.setHeader('content-type', 'text/x').end(`at ${url}`)),
  );
  const poll = (portName: string, hostPort: number) =>
    pollReadiness(probed(hostPort), {
      check: {
        ...{ name: 'r', protocol: 'HTTP', path: 'ready', portName, intervalSeconds: 2, timeoutSeconds: 1 },
        ...{ httpStatusCodesForReady: [200], preserveLastResponse: true },
      },
      signal: new AbortController().signal,
    });
  t.same(await poll('api', port), { status: 200, contentType: 'text/x', body: 'at /ready' });
  t.match(await poll('api', 1), { status: 504, contentType: 'text/plain', body: /ECONNREFUSED/ });
  t.match(await poll('other', port), { status: 504, body: /no port/ });
});

function probed(port: number) {
  const definition = { port: 0, protocol: 'tcp', name: 'api', labels: {} } as const;
  const { container: _, ...app } = appOf({ networks: [{ mode: 'host' }], portDefinitions: [definition] });
  const { placement } = assignmentOf('a', { hostPorts: [port], containerPorts: [null] });
  return { app, placement, addresses: [], hostAddress: '127.0.0.1', container: 'web' };
}

async function look(some: Partial<GeneralCheck>) {
  const machine = new FakeMachine({
    clock: systemClock,
    programOf: () => ({
      exec: ({ argv }) => {
        if (argv[2] === 'hang') return 'hang';
        return argv[2] === 'good' ? { exitCode: 0, output: '' } : { exitCode: 3, output: '' };
      },
    }),
  });
  const runtime = new FakeRuntime({ machine, clock: systemClock });
  await runtime.create({ id: 'web', logDir: '/logs' } as ContainerSpec);
  await runtime.start('web');
  const check = { intervalSeconds: 1, timeoutSeconds: 5, delaySeconds: 0, ...some };
  return lookAt(runtime, { instance: probed(0), check, signal: new AbortController().signal });
}

async function serve(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}
