import { createServer } from 'node:net';
import t from 'tap';
import { startFakeMaster } from './testing/fake-master.ts';
import { weir } from './testing/weir.ts';

const nobody = 'http://127.0.0.1:1';

t.test('a command given wrongly ends with 2 and says what was expected', async (t) => {
  const cases: readonly (readonly [words: string, expected: RegExp])[] = [
    ['app scale /web many', /expected a whole number, 0 or more/],
    ['app show', /missing required argument 'app'/],
    ['app shwo /web', /unknown command 'shwo'/],
    ['nothing', /unknown command 'nothing'/],
    ['app list --bogus', /unknown option '--bogus'/],
    ['app show /Web', /"\/Web" is no id of an app/],
    ['app update /web cpus', /Cannot read cpus/],
    ['app update /web a=1 b', /"b" is neither a file nor key=value/],
    ['task log t --stream both-of-them', /Allowed choices are stdout, stderr, both/],
    ['completion', /Name a shell/],
    ['app', /Usage: weir app/],
  ];
  for (const [words, expected] of cases) {
    const { exitCode, stdout, stderr } = await weir(words.split(' '), { master: nobody });
    t.equal(exitCode, words.endsWith('web cpus') ? 1 : 2, words);
    t.equal(stdout, '');
    t.match(stderr, expected);
  }
});

t.test('help and version are no failures', async (t) => {
  for (const words of [
    ['--help'],
    ['app', '--help'],
    ['help', 'app'],
    ['app', 'add', '--help'],
    ['--version'],
  ]) {
    const { exitCode, stdout, stderr } = await weir(words);
    t.equal(exitCode, 0);
    t.equal(stderr, '');
    t.match(stdout, /^(Usage: weir|\d+\.\d+\.\d+)/);
  }
});

t.test('a master that is not there is said with what to do', async (t) => {
  const { exitCode, stdout, stderr } = await weir(['app', 'list'], { master: nobody });
  t.equal(exitCode, 1);
  t.equal(stdout, '');
  t.match(stderr, /^error: Cannot talk to the master at http:\/\/127\.0\.0\.1:1: connect ECONNREFUSED/);
  t.match(stderr, /\nnext: Is it running\? Start it with "weir dev"/);
  t.match(
    (await weir(['app', 'list'], { master: 'nonsense' })).stderr,
    /it is no URL\nnext: Give one such as/,
  );
});

t.test('something else than a master on the port is told apart', async (t) => {
  const server = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { exitCode, stderr } = await weir(['node', 'list'], { master: `http://127.0.0.1:${port}` });
  t.equal(exitCode, 1);
  t.match(stderr, /GET \/v1\/nodes was not answered with JSON/);
});

t.test('faults of a definition are a line each: path, words, code', async (t) => {
  const details = [
    { path: '/instances', errors: ['error.expected.jsnumber'] },
    { path: '/networks', errors: ["network 'x' does not exist; known networks: weir"] },
  ];
  const master = await startFakeMaster({
    'POST /v2/apps': { status: 422, body: { message: 'Invalid JSON', details } },
  });
  t.teardown(() => master.close());
  const { exitCode, stderr } = await weir(['app', 'add', '-'], { master: master.url, input: '{}' });
  t.equal(exitCode, 1);
  t.equal(
    stderr,
    [
      'error: Invalid JSON',
      '  /instances: must be a number (error.expected.jsnumber)',
      "  /networks: network 'x' does not exist; known networks: weir",
    ].join('\n'),
  );
});

t.test('an app held by a deployment is said with the three ways out', async (t) => {
  const body = { message: 'App is locked by one or more deployments.', deployments: [{ id: 'd-9' }] };
  const master = await startFakeMaster({ 'POST /v2/apps/web/restart': { status: 409, body } });
  t.teardown(() => master.close());
  const { exitCode, stderr } = await weir(['app', 'restart', 'web'], { master: master.url });
  t.equal(exitCode, 1);
  t.match(stderr, /next: Wait for it \(weir deployment show d-9\), cancel it .*, or repeat with --force\./);
});

t.test('a file that is no definition is told apart, and nothing is sent', async (t) => {
  const master = await startFakeMaster({});
  t.teardown(() => master.close());
  const bad = await weir(['app', 'add', '-'], { master: master.url, input: '{"id": "/a",\n  "cpus": }' });
  t.equal(bad.exitCode, 1);
  t.match(bad.stderr, /Cannot read standard input: it is not JSON: Unexpected token '}'/);
  const list = await weir(['app', 'add', '-'], { master: master.url, input: '[]' });
  t.match(list.stderr, /expected one JSON object/);
  const missing = await weir(['app', 'add', '/nowhere.json'], { master: master.url });
  t.match(missing.stderr, /Cannot read \/nowhere\.json: ENOENT/);
  t.same(master.requests, []);
});

t.test('a lab that does not exist is said before anything is asked', async (t) => {
  const env = { WEIR_LAB: '/nowhere' };
  for (const words of [
    ['--lab', 'app', 'list'],
    ['app', 'list', '--lab=two'],
    ['lab', 'status'],
  ]) {
    const { exitCode, stderr } = await weir(words, { env, master: nobody });
    t.equal(exitCode, 1);
    t.match(stderr, /lab up/);
  }
});
