import t from 'tap';
import { becomes } from '../lab/processes.ts';
import { webServer } from './definitions.ts';
import { openHost } from './host.ts';
import { down, startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

/** Says who asks, and goes on echoing. */
const greeter = `exec perl -MIO::Socket::INET -e '
$SIG{CHLD} = "IGNORE";
$s = IO::Socket::INET->new(LocalAddr => "0.0.0.0", LocalPort => $ENV{PORT0}, Listen => 64, ReuseAddr => 1) or die $!;
while (1) {
  $c = $s->accept or next;
  if (fork == 0) {
    $c->autoflush(1);
    print $c "$ENV{MESOS_TASK_ID} sees " . $c->peerhost . "\\n";
    while (<$c>) { print $c $_ }
    exit
  }
  close $c
}'`;

function greeterApp(instances: number) {
  const { env: _, healthChecks: __, ...app } = webServer('/db', { instances });
  return {
    ...app,
    cmd: greeter,
    healthChecks: [{ protocol: 'TCP', portIndex: 0, gracePeriodSeconds: 30, intervalSeconds: 1 }],
  };
}

type OnEdge = { readonly state: string; readonly kernel?: object; readonly because?: string };

t.test('public ports are carried by the kernel', { skip }, async (t) => {
  const [host, outside] = [await openHost(t, 'ports'), await openHost(t, 'client')];
  await host.shell(`ip link add weirpub type veth peer name weirpub netns ${outside.netns}`);
  for (const [one, n] of [
    [host, 1],
    [outside, 2],
  ] as const)
    await one.shell(`ip addr add 100.65.9.${n}/24 dev weirpub && ip link set weirpub up`);
  const product = await startProduct(host);
  const { api } = product;
  await api.deploy(greeterApp(2));
  const listenerOf = async (name: string) => {
    const answer = (await api.must('GET', `/v1/listeners/${name}`)) as {
      listener: { state: string; edges: OnEdge[] };
    };
    return answer.listener;
  };
  const add = async (name: string, definition: object) => {
    await api.must('POST', '/v1/listeners', {
      name,
      protocol: 'tcp',
      address: '0.0.0.0',
      app: '/db',
      ...definition,
    });
    await api.spread();
    await becomes(async () => (await listenerOf(name)).edges[0]?.state === 'open', 10_000);
  };
  const scale = async (instances: number) => {
    await api.must('PUT', '/v2/apps//db', { instances });
    await api.settled('/db');
    await api.spread();
  };
  /** One connection from outside: the greeting, or why there is none. */
  const ask = async (port: number): Promise<string> => {
    const { stdout, stderr } = await outside.exec([
      ...['perl', '-MIO::Socket::INET', '-e'],
      `$s = IO::Socket::INET->new(PeerAddr => "100.65.9.1:${port}", Timeout => 3) or print("refused") && exit; print scalar(<$s>)`,
    ]);
    return (stdout + stderr).trim();
  };

  await t.test('endpoints see the client, and the listener says who carries it', async (t) => {
    await add('db', { port: 5432 });
    t.match(await ask(5432), /^db\.\S+ sees 100\.65\.9\.2$/);
    t.match(await listenerOf('db'), {
      state: 'open on 1/1 edges (kernel)',
      edges: [{ kernel: { masquerades: [] } }],
    });
  });

  await t.test('a listener that asks for more is carried by processes, and says why', async (t) => {
    await add('bounded', { port: 5433, maxConnections: 10 });
    t.match(await ask(5433), /^db\.\S+ sees 100\.64\./);
    t.match(await listenerOf('bounded'), { edges: [{ because: /maxConnections/ }] });
  });

  await t.test('who may come is known in the kernel, and who may not is refused', async (t) => {
    await add('chosen', { port: 5434, allow: ['100.65.9.0/24'], deny: ['100.65.9.9'] });
    t.match(await ask(5434), /^db\.\S+ sees 100\.65\.9\.2$/);
    t.match(await listenerOf('chosen'), { edges: [{ kernel: { masquerades: [] } }] });
    await add('closed', { port: 5435, deny: ['100.65.9.2'] });
    t.notMatch(await ask(5435), /sees/);
  });

  await t.test('a listener of both families is mapped for the one that instances have', async (t) => {
    await add('six', { port: 5436, address: '::' });
    t.match(await ask(5436), /^db\.\S+ sees 100\.65\.9\.2$/);
    t.match(await listenerOf('six'), { edges: [{ kernel: { masquerades: [], except: /^IPv6: \S+/ } }] });
  });

  await t.test('connections stay open while instances come and go, and are counted', async (t) => {
    const held = outside.exec([
      ...['perl', '-MIO::Socket::INET', '-e'],
      `$s = IO::Socket::INET->new(PeerAddr => "100.65.9.1:5432") or die; $s->autoflush(1); <$s>;
       for (1..40) { print $s "$_\\n"; $got = <$s>; die "lost after $_" unless $got eq "$_\\n"; select undef, undef, undef, 0.1 }
       print "all"`,
    ]);
    await scale(3);
    const names = new Set<string>();
    for (let n = 0; n < 100 && names.size < 3; n++) names.add((await ask(5432)).split(' ')[0] ?? '');
    t.equal(names.size, 3);
    t.equal((await held).stdout, 'all', (await held).stderr);
    const metrics = await host.shell('curl --silent --fail http://127.0.0.1:8123/metrics');
    const count = Number(/^weir_edge_listener_connections_total\{listener="db"\} (\d+)$/m.exec(metrics)?.[1]);
    t.ok(count > 3, `${count} connections counted`);
  });

  await t.test('without instances a connection is refused at once', async (t) => {
    await scale(0);
    await becomes(async () => (await ask(5432)) === 'refused', 5_000);
    t.equal(await ask(5432), 'refused');
  });

  await t.test(
    'after kill -9 the next start takes the ports over; a stop takes the table away',
    async (t) => {
      await scale(1);
      await becomes(async () => /sees/.test(await ask(5432)), 10_000);
      await product.end('SIGKILL');
      t.match(await ask(5432), /sees 100\.65\.9\.2/, 'the kernel goes on');
      const again = await startProduct(host);
      await again.api.spread();
      await becomes(async () => /sees/.test(await ask(5432)), 10_000);
      t.match(await host.shell('nft list tables'), /weir-edge/);
      await again.end('SIGTERM');
      t.notMatch(await host.shell('nft list tables'), /weir-edge/);
      t.equal(await ask(5432), 'refused');
      t.equal((await down(host)).exitCode, 0);
    },
  );
});
