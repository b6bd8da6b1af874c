import t from 'tap';
import { recorded } from './testing/answers.ts';
import { startFakeMaster } from './testing/fake-master.ts';
import { weir } from './testing/weir.ts';

/** The command, and all that a person sees. */
const pages: readonly (readonly [command: string, page: string])[] = [
  [
    'app list',
    `
APP        RUNNING  HEALTHY  CPUS  MEM  STATUS
/batch         3/3        -   0.5  128  ready
/shop/web      1/2      1/2   0.5  128  waiting for a place (weir why /shop/web)
`,
  ],
  [
    'app show shop/web',
    `
/shop/web  waiting for a place (weir why /shop/web), 1/2 running, 1/2 healthy

  version      2026-11-21T20:00:00.000Z
  image        shop/web:3
  command      node server.js
  resources    0.5 cpus, 128 MiB memory
  network      container weir
  ports        80/tcp http, host port any, service port 10000, VIP /web:80
  checks       MESOS_HTTP /health port index 0 every 5 s
  constraints  hostname UNIQUE
  labels       HAPROXY_0_VHOST=shop.example.org
  env          LEVEL=info
  name         web.shop.weir
  deployment   d-1, step 2 of 2: scale

TASK                                                           STATE    HEALTH   NODE  ADDRESS     PORTS  AGE
shop_web.instance-8c9cbb32-3f6c-4e9d-9c50-7d0c3f1f2a11._app.1  running  healthy  h2    100.64.1.2  31044  10m

1 instance of /shop/web waits because none of 2 machines fits:
  h1: needs 0.5 cpus, h1 has 0.2 free (InsufficientCpus)
  h2: hostname UNIQUE: h2 has one already (UnfulfilledConstraint)

Last failure: TASK_FAILED on h3, 3h ago
  exit code 1: no database
`,
  ],
  [
    'pod list',
    `
POD         STABLE  CONTAINERS  STATUS
/shop/pair     1/2  web,side    degraded
`,
  ],
  [
    'pod show shop/pair',
    `
/shop/pair  degraded, 1/2 stable

  version     2026-11-21T20:00:00.000Z
  containers  web: 0.2 cpus, 64 MiB, http 80
              side: 0.1 cpus, 32 MiB, shop/side:2
  network     container weir
  volumes     pages (shared), certs (/etc/certs)

INSTANCE              STATUS    CONTAINERS                              NODE  ADDRESS     AGE
shop_pair.instance-a  stable    web running healthy, side finished      h2    100.64.1.7  10m
shop_pair.instance-b  degraded  web running not healthy, side finished  h2    100.64.1.7  10m

Last failure, 60m ago: container side: exit code 3
`,
  ],
  [
    'why shop/pair',
    `
/shop/pair is not all stable yet: 1/2 stable.
Last failure: container side: exit code 3
`,
  ],
  [
    'why /shop/web',
    `
1 instance of /shop/web waits because none of 2 machines fits:
  h1: needs 0.5 cpus, h1 has 0.2 free (InsufficientCpus)
  h2: hostname UNIQUE: h2 has one already (UnfulfilledConstraint)
  1 not launched (no-agent): fits on h1 if 0.3 more cpus were free
Last failure, on h3: exit code 1: no database
  what it wrote last: weir task log --failed /shop/web
`,
  ],
  [
    'deployment show d',
    `
d-1
  done  1. start /shop/web
  now   2. scale /shop/web

/shop/web: step 2 of 2 (scale), 1/2 running, 1/2 healthy; waits: needs 0.5 cpus, h1 has 0.2 free; hostname UNIQUE: h2 has one already
  shop_web.instance-a (health): failed twice
`,
  ],
  [
    'task list',
    `
TASK                                                           APP        STATE    HEALTH   NODE  ADDRESS     PORTS  AGE
shop_web.instance-8c9cbb32-3f6c-4e9d-9c50-7d0c3f1f2a11._app.1  /shop/web  running  healthy  h2    100.64.1.2  31044  10m
`,
  ],
  [
    'node list',
    `
NODE  ADDRESS      STATE      HEARD  INSTANCES  CPUS   MEM  RUNTIME  ROLES       REVISION
h1    100.127.0.1  lost          5m          0     4  8192  runc     master  4 (5 behind)
h2    100.127.0.2  connected    10m          1     4  8192  runc     edge               9
`,
  ],
  [
    'brake show',
    `
3 of 4 apps on h1 turned unhealthy at about the same time.
1 instance not ended for it. To end them all the same: weir brake off
`,
  ],
  [
    'route list',
    `
HOST              PATH  APP        PORT  ENDPOINTS  DECLARED BY
shop.example.org  /     /shop/web     0          1  labels of /shop/web
shop.example.org  /api  /batch        0          3  weir route

Revision 9 is in force on 1 of 1 edge.
`,
  ],
  [
    'vip list',
    `
VIP               PROTOCOL  ADDRESS      APPS       BACKENDS
web.shop.weir:80  tcp       100.100.0.7  /shop/web       1/2
/shop/web: the label VIP_1=web declares nothing: it has no port
`,
  ],
  [
    'vip show web.shop.weir',
    `
web.shop.weir:80  tcp 100.100.0.7 port 80, random, of /shop/web

BACKEND        INSTANCE             NODE  WEIGHT  OPEN
100.64.1.2:80  shop_web.instance-1  h2         1     3
100.64.1.3:80  shop_web.instance-2  h1         0     0  its health checks do not pass (yet)

NODE  BACKEND   REVISION  TAKEN
h2    nftables       9/9     12  found by the last audit: map services lacks 1 of its elements
h1    -              8/9      0  it is not connected

/shop/web: the label VIP_1=web declares nothing: it has no port
`,
  ],
  [
    'vip why web.shop.weir',
    `
web.shop.weir:80 (100.100.0.7) leads to 1 backend, chosen by random:
  100.64.1.2:80 (shop_web.instance-1 on h2) takes 100 % of new connections
  100.64.1.3:80 (shop_web.instance-2 on h1) takes none: its health checks do not pass (yet)
h2: found by the last audit: map services lacks 1 of its elements
h2: audited 4 s ago in 0.3 s.
h1: it is not connected.
/shop/web: the label VIP_1=web declares nothing: it has no port
`,
  ],
  [
    'network list',
    `
NETWORK  RANGE            SHARES  BACKEND  EGRESS
weir     100.64.0.0/16  2 of /24  vxlan    none
`,
  ],
  [
    'dns web.shop.weir',
    `
NOERROR  Zone weir has 1 such record.

NAME           TTL  TYPE  DATA         RULE
web.shop.weir    5  A     100.100.0.7  name of a VIP

Leads to:
  shop_web.instance-1  100.64.1.2:80

Left out:
  shop_web.instance-2: its health checks do not pass (yet)

Answered by h2 from revision 9.
`,
  ],
];

for (const [command, page] of pages) {
  t.test(`weir ${command} shows its page`, async (t) => {
    const master = await startFakeMaster(recorded(Date.now()));
    t.teardown(() => master.close());
    const { exitCode, stdout, stderr } = await weir(command.split(' '), { master: master.url });
    t.equal(stderr, '');
    t.equal(exitCode, 0);
    t.equal(stdout, page.trim());
  });
}

t.test('--json prints what the API answered, on standard output alone', async (t) => {
  const answers = recorded(Date.now());
  const master = await startFakeMaster(answers);
  t.teardown(() => master.close());
  for (const [command, path] of [
    ['app list', 'GET /v2/apps'],
    ['app show /shop/web', 'GET /v2/apps/shop/web'],
    ['deployment list', 'GET /v2/deployments'],
    ['node list', 'GET /v1/nodes'],
    ['route list', 'GET /v1/routes'],
    ['dns web.shop.weir', 'GET /v1/dns'],
    ['dns', 'GET /v1/dns/queries'],
  ] as const) {
    const { stdout, stderr } = await weir([...command.split(' '), '--json'], { master: master.url });
    t.equal(stderr, '');
    t.same(JSON.parse(stdout), JSON.parse(JSON.stringify([answers[path]].flat()[0]?.body)), command);
  }
});

t.test('global options are understood before, between and after the words of a command', async (t) => {
  const master = await startFakeMaster(recorded(Date.now()));
  t.teardown(() => master.close());
  const url = `--master=${master.url}`;
  const wrong = { WEIR_MASTER: 'http://127.0.0.1:1' };
  for (const words of [
    [url, '--json', 'app', 'list'],
    ['app', url, '--json', 'list'],
    ['app', 'list', '--json', url],
  ]) {
    const { exitCode, stdout } = await weir(words, { env: wrong });
    t.equal(exitCode, 0);
    t.equal(JSON.parse(stdout).apps.length, 2);
  }
});

t.test('colour is only for terminals, unless it is forced', async (t) => {
  const master = await startFakeMaster(recorded(Date.now()));
  t.teardown(() => master.close());
  const piped = await weir(['app', 'list'], { master: master.url });
  t.notMatch(piped.stdout, '\x1b[');
  const forced = await weir(['app', 'list'], { master: master.url, env: { FORCE_COLOR: '1' } });
  t.match(forced.stdout, '\x1b[');
  t.equal(forced.stdout.split('\n').length, piped.stdout.split('\n').length);
});
