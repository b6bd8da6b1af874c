import t, { type Test } from 'tap';
import { engines } from '../product/engines.ts';
import { backend, openPoolHost, pool } from './pool-host.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

const protocols = ['HTTP', 'HTTPS', 'TCP', 'TLS'] as const;
type Protocol = (typeof protocols)[number];

const pairs = protocols.flatMap((front) => protocols.map((back) => ({ front, back })));

/**
 * Which port of the app a backend leads to. TLS that is not ended needs a server that speaks it, whatever the backend is said to be;
 * elsewhere HTTPS and TLS mean that the server does.
 */
function serverOf(front: Protocol, back: Protocol): 'p0' | 'p1' {
  return front === 'TLS' || back === 'HTTPS' || back === 'TLS' ? 'p1' : 'p0';
}

/** Whether the client speaks TLS: to the edge, or through it to the server. */
function isSecure(front: Protocol, back: Protocol): boolean {
  return front === 'HTTPS' || front === 'TLS' || (front === 'TCP' && back === 'TLS');
}

for (const engine of engines)
  t.test(
    `every protocol of a frontend with every protocol of a backend with the engine ${engine}`,
    { skip },
    (t) => protocolsMeet(t, engine),
  );

async function protocolsMeet(t: Test, engine: string): Promise<void> {
  const edge = await openPoolHost(t, `matrix${engine}`, engine);
  const frontends = pairs.map(({ front, back }, n) => ({
    ...{ name: `${front}-${back}`, bindPort: 21_000 + n, protocol: front },
    ...(front === 'HTTPS' && { certificates: ['$AUTOCERT'] }),
    linkBackend: { defaultBackend: `to-${front}-${back}` },
  }));
  const backends = pairs.map(({ front, back }) =>
    backend(`to-${front}-${back}`, { protocol: back }, serverOf(front, back)),
  );
  await edge.create(pool('matrix', frontends, backends, { autoCertificate: true }));

  for (const [n, { front, back }] of pairs.entries())
    await t.test(`a frontend of ${front} and a backend of ${back}`, async (t) => {
      const port = 21_000 + n;
      const text = isSecure(front, back)
        ? await edge.secure('echo.test', port, '/x?y')
        : (await edge.ask('/x?y', { port, host: 'echo.test' })).text;
      const index = serverOf(front, back) === 'p1' ? 1 : 0;
      t.match(text, new RegExp(`"index":${index},"url":"/x\\?y"`));
      const isTold = front === 'HTTP' || front === 'HTTPS';
      t.equal(/"x-forwarded-for":/.test(text), isTold, 'bytes are passed on as they are');
    });
}
