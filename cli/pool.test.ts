import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Answers, startFakeMaster } from './testing/fake-master.ts';
import { weir } from './testing/weir.ts';

type Parent = { teardown(end: () => Promise<void>): void };

const notes = [{ path: '/count', error: 'does nothing' }];
const frontends = [
  { name: 'in', protocol: 'http', address: '0.0.0.0', port: 8081, state: 'open on 1/1 edges' },
];
const servers = [{ name: 'agentip_10.0.0.1_80', instanceId: 'web.instance-1' }];
const shown = {
  ...{
    revision: 7,
    edges: 1,
    inForce: 1,
    frontends,
    notes,
    pool: { name: 'web-lb' },
    config: 'frontend in\n',
  },
  backends: [{ name: 'web', servers }],
};

async function given(t: Parent, answers: Answers) {
  const master = await startFakeMaster(answers);
  t.teardown(() => master.close());
  return master;
}

t.test('weir pool create sends YAML as JSON, and says what of it does nothing', async (t) => {
  const master = await given(t, { 'POST /v1/pools': { status: 201, body: { name: 'web-lb', notes } } });
  const file = join(t.testdir({}), 'pool.yaml');
  writeFileSync(file, 'name: web-lb\ncount: 2\nhaproxy: {frontends: [], backends: []}\n');
  const { stdout, exitCode } = await weir(['pool', 'create', file], { master: master.url });
  t.equal(exitCode, 0);
  t.equal(stdout.trim(), 'pool web-lb is created\n/count: does nothing');
  t.match(master.requests, [{ body: { name: 'web-lb', count: 2, haproxy: { backends: [] } } }]);
});

t.test('weir pool update makes no pool that is not there', async (t) => {
  const master = await given(t, {});
  const { exitCode } = await weir(['pool', 'update', '-'], {
    master: master.url,
    input: '{"name": "web-lb"}',
  });
  t.equal(exitCode, 1);
  t.same(
    master.requests.map(({ request }) => request),
    ['GET /v1/pools/web-lb'],
  );
});

t.test('a pool is listed, shown, told of and deleted', async (t) => {
  const endpoints = [{ port: 8081, private: ['10.0.0.9'], public: [] }];
  const master = await given(t, {
    'GET /v1/pools': { body: { ...shown, pools: [{ name: 'web-lb', ...shown }] } },
    'GET /v1/pools/web-lb': { body: shown },
    'GET /service/edgelb/v2/pools/web-lb/metadata': { body: { frontends: [{ name: 'in', endpoints }] } },
    'DELETE /v1/pools/web-lb': { status: 204 },
  });
  for (const [words, text] of [
    [['list'], /web-lb +in +http +8081 +open on 1\/1 edges[\s\S]*in force on 1 of 1 edge/],
    [['show', 'web-lb'], /"name": "web-lb"/],
    [
      ['status', 'web-lb'],
      /frontend in: http 0\.0\.0\.0:8081, open[\s\S]*agentip_10\.0\.0\.1_80 {2}web\.instance-1\n\/count: does/,
    ],
    [['endpoints', 'web-lb'], /in +8081 +10\.0\.0\.9 +-/],
    [['metadata', 'web-lb'], /"private"/],
    [['lb-config', 'web-lb'], /^frontend in$/m],
    [['delete', 'web-lb'], /pool web-lb is deleted/],
  ] as const) {
    const { stdout, exitCode } = await weir(['pool', ...words], { master: master.url });
    t.equal(exitCode, 0, words[0]);
    t.match(stdout, text);
  }
});

t.test(
  'templates of auto pools are made by a name alone or with a file, changed and asked for',
  async (t) => {
    const path = '/service/edgelb/v2/poolTemplates';
    const status = { name: 'dobby', status: 'RENDER_ERR', message: '/a: first; /b: second' };
    const master = await given(t, {
      [`GET ${path}`]: { body: [{ name: 'default' }, { name: 'dobby' }] },
      [`POST ${path}`]: { body: { name: 'dobby' } },
      [`PUT ${path}/dobby`]: { body: { name: 'dobby' } },
      [`GET ${path}/dobby`]: { body: { name: 'dobby' } },
      [`GET ${path}/dobby/status`]: { body: status },
      [`DELETE ${path}/dobby`]: { status: 204 },
    });
    const file = join(t.testdir({ 'dobby.yaml': 'haproxy: {stats: {bindPort: 9191}}\n' }), 'dobby.yaml');
    for (const [words, text] of [
      [['list'], /^NAME\ndefault\ndobby$/m],
      [['create', 'dobby'], /template dobby is created/],
      [['create', 'dobby', file], /template dobby is created/],
      [['update', 'dobby', file], /template dobby is updated/],
      [['reset', 'dobby'], /template dobby is updated/],
      [['show', 'dobby'], /"name": "dobby"/],
      [['status', 'dobby'], /^RENDER_ERR\n\/a: first\n\/b: second$/m],
      [['delete', 'dobby'], /template dobby is deleted/],
    ] as const) {
      const { stdout, exitCode } = await weir(['pool', 'pool-template', ...words], { master: master.url });
      t.equal(exitCode, 0, words[0]);
      t.match(stdout, text);
    }
    t.match(
      master.requests.flatMap(({ body }) => body ?? []),
      [
        { name: 'dobby' },
        { name: 'dobby', haproxy: { stats: { bindPort: 9191 } } },
        { name: 'dobby', haproxy: { stats: { bindPort: 9191 } } },
        { name: 'dobby' },
      ],
    );
  },
);

t.test("a pool's text template is kept, and said to do nothing", async (t) => {
  const body = { text: 'global\n', note: 'it is not carried out' };
  const path = '/v1/pools/web-lb/template';
  const master = await given(t, {
    [`GET ${path}`]: { body },
    [`PUT ${path}`]: { body },
    [`DELETE ${path}`]: { status: 204 },
  });
  const run = async (words: readonly string[], input = '') =>
    (await weir(['pool', 'template', ...words], { master: master.url, input })).stdout;
  t.match(await run(['update', 'web-lb', '-'], 'global\n'), /kept with pool web-lb\nit is not carried out/);
  t.match(await run(['show', 'web-lb']), /^global$/m);
  t.match(await run(['delete', 'web-lb']), /no text is kept/);
  t.match(master.requests[0], { body: { text: 'global\n' } });
});
