import t from 'tap';
import { needsRoot, runcHost } from './runc-testing.ts';

/** Its first process begins to catch SIGTERM only when its child, asked to end, tells it to. */
const catchesLate = `exec perl -e '
$| = 1;
$SIG{USR1} = sub { $SIG{TERM} = sub { exit 7 }; open $told, ">", "told" };
if (!fork) {
  $SIG{TERM} = sub { kill USR1 => getppid; select undef, undef, undef, 0.005 until -e "told"; exit };
  print "ready\\n";
  sleep 1000 while 1
}
sleep 1000 while 1'`;

t.test(
  'a program that begins to catch SIGTERM while it is being stopped ends in its own way',
  { skip: needsRoot },
  async (t) => {
    const host = await runcHost(t);
    const runtime = host.open();
    const spec = host.spec('late', catchesLate);
    await runtime.create(spec);
    await runtime.start('late');
    const follow = new AbortController();
    for await (const line of runtime.log(spec.logDir, { tail: 1, follow: follow.signal }))
      if (line.text === 'ready') follow.abort();
    t.match(await runtime.stop('late', 60_000), { exitCode: 7 });
  },
);
