import { join } from 'node:path';
import t from 'tap';
import { repository } from '../product/product.ts';
import { backendApp, openEdge } from './edge-host.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

type Results = Readonly<Record<string, true | readonly [kind: string, message: string]>>;

/** What passes with no cache on the way must pass through the edge, which keeps nothing: `http-cache-tests.txt` names it all. */
const server = join(repository, 'node_modules/http-cache-tests/server/server.mjs');
const port = 31_950;
t.test(
  'http-cache-tests pass through the edge as they do without a cache',
  { skip, timeout: 120_000 },
  async (t) => {
    const edge = await openEdge(t, 'cache', { host: 'unused.example' });
    const { api } = edge.product;
    const env = `npm_config_protocol=http npm_config_port=${port} npm_config_pidfile=/dev/null`;
    await api.deploy({
      ...backendApp('/origin'),
      cmd: `cd /tmp; ${env} exec ${process.execPath} ${server}`,
      healthChecks: [],
      requirePorts: true,
      portDefinitions: [{ port }],
    });
    await api.must('POST', '/v1/routes', { host: '*', app: '/origin' });
    await api.spread();
    const results = await edge.script<Results>(new URL('cache-client.ts', import.meta.url), [
      'http://127.0.0.1:8000',
    ]);
    t.ok(Object.keys(results).length > 100, 'they were tried');
    t.same(
      Object.entries(results).filter(([, result]) => result !== true),
      [],
    );
  },
);
