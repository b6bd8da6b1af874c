import t from 'tap';
import { request } from 'undici';
import { becomes } from '../lab/processes.ts';
import { type Host, openHost } from './host.ts';
import { launch, program } from './product.ts';

const skip = process.getuid?.() !== 0 ? 'needs root' : false;
const credentials = 'us:secret word';
const withinMs = 60_000;

t.test(
  'with credentials configured clients, agents and commands need them, and get on with them',
  { skip },
  async (t) => {
    const host = await openHost(t, 'credentials');
    const product = launch(host, { env: { WEIR_CREDENTIALS: credentials } });
    const connected = await becomes(
      async () => (await asked(host, '/v1/nodes', credentials)).body.includes('"connected":true'),
      withinMs,
    );
    t.ok(connected, `its agent is connected\n${connected ? '' : product.output()}`);
    t.equal((await asked(host, '/v2/apps')).status, 401);
    t.equal((await asked(host, '/v2/apps', 'us:wrong')).status, 401);
    t.equal((await asked(host, '/v2/apps', credentials)).status, 200);
    t.equal((await asked(host, '/ping')).status, 200);

    const without = await host.exec([program, 'app', 'list']);
    t.equal(without.exitCode, 1);
    t.match(without.stderr, /WEIR_CREDENTIALS/, 'says where they go');
    const withThem = await host.exec(['env', `WEIR_CREDENTIALS=${credentials}`, program, 'app', 'list']);
    t.equal(withThem.exitCode, 0);
    const inUrl = await host.exec([
      program,
      'app',
      'list',
      '--master',
      'http://us:secret%20word@127.0.0.1:8080',
    ]);
    t.equal(inUrl.exitCode, 0);
    await product.end('SIGTERM');
  },
);

async function asked(host: Host, path: string, as?: string): Promise<{ status: number; body: string }> {
  const authorization =
    as === undefined ? {} : { authorization: `Basic ${Buffer.from(as).toString('base64')}` };
  const response = await request(`http://127.0.0.1:8080${path}`, {
    dispatcher: host.tunnel.single,
    headers: authorization,
  }).catch(() => undefined);
  return { status: response?.statusCode ?? 0, body: (await response?.body.text()) ?? '' };
}
