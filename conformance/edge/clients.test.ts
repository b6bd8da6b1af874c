import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { backendApp, openEdge } from './edge-host.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

/** Where the servers of the scripts listen; the app that has the port does nothing with it. */
const scriptedPort = 31_940;
const scripts = fileURLToPath(new URL('framing/', import.meta.url));

t.test('clients that other people wrote', { skip, timeout: 120_000 }, async (t) => {
  const { host, product } = await openEdge(t, 'clients');
  const { api } = product;
  await api.deploy({
    ...backendApp('/scripted'),
    cmd: 'exec sleep 1000',
    healthChecks: [],
    requirePorts: true,
    portDefinitions: [{ port: scriptedPort }],
  });
  await api.must('POST', '/v1/routes', { host: 'vtc.example', app: '/scripted' });
  await api.spread();

  for (const script of readdirSync(scripts).filter((name) => name.endsWith('.vtc'))) {
    await t.test(`varnishtest ${script}`, async (t) => {
      const { exitCode, stdout, stderr } = await host.exec([
        'varnishtest',
        '-t',
        '20',
        `${scripts}${script}`,
      ]);
      t.equal(exitCode, 0, `${stdout}${stderr}`.slice(-4_000));
    });
  }

  const origins = { 'HTTP/2': 'http://127.0.0.1:8000', 'HTTP/2 over TLS': 'https://127.0.0.1:8443' };
  for (const [protocol, origin] of Object.entries(origins)) {
    await t.test(`h2load has every request answered over ${protocol}`, async (t) => {
      const many = ['-n', '5000', '-c', '8', '-m', '64', '-H', ':authority: edge.example'];
      const { stdout } = await host.exec(['h2load', ...many, `${origin}/`]);
      t.match(stdout, /status codes: 5000 2xx, 0 3xx, 0 4xx, 0 5xx/);
      t.match(stdout, /0 failed, 0 errored, 0 timeout/);
    });
  }

  await t.test('h2load has every request answered over HTTP/1.1', async (t) => {
    const many = ['--h1', '-n', '3000', '-c', '8', '--connect-to=127.0.0.1:8000'];
    const { stdout } = await host.exec(['h2load', ...many, 'http://edge.example/']);
    t.match(stdout, /status codes: 3000 2xx/);
  });

  await t.test('nghttp gets a megabyte whole on many streams with small windows', async (t) => {
    const how = ['-n', '-s', '-m', '8', '-w', '14', '-W', '15', '-H', ':authority: edge.example'];
    const { exitCode, stdout } = await host.exec(['nghttp', ...how, 'http://127.0.0.1:8000/large']);
    t.equal(exitCode, 0);
    t.equal(stdout.match(/ 200 +1M \/large/g)?.length, 8, stdout);
  });

  await t.test('nghttp upgrades to nothing: h2c by Upgrade is answered as HTTP/1.1', async (t) => {
    const { stdout } = await host.exec([
      'curl',
      '-sS',
      '--http2',
      '-w',
      ' %{http_version}',
      '-H',
      'Host: edge.example',
      'http://127.0.0.1:8000/',
    ]);
    t.equal(stdout, 'hello\n 1.1');
  });
});
