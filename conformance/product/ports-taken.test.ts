import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { type Host, openHost } from './host.ts';
import { traces } from './machine.ts';
import { launch, startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

const ports = [
  { flag: '--api', port: 8080 },
  { flag: '--http', port: 8000 },
  { flag: '--https', port: 8443 },
  { flag: '--dns', port: 10_053 },
  { flag: '--dns', port: 10_053, udp: true },
  { flag: '--dns-http', port: 8123 },
];

t.test('a port in use is told with its flag and its holder, and nothing is started', { skip }, async (t) => {
  const host = await openHost(t, 'ports');
  const before = await traces(host);
  for (const { flag, port, udp = false } of ports) {
    const holder = await hold(host, port, udp);
    const product = launch(host, {});
    const ending = await product.ended;
    t.same(ending, { exitCode: 1, signal: null }, `${port} ${udp ? 'UDP' : 'TCP'}`);
    const said = product.output();
    t.match(said, `127.0.0.1:${port}`);
    t.match(said, flag);
    t.match(said, new RegExp(`in use by \\S+ \\(pid ${holder.pid}\\)`), 'it names the holder');
    t.notMatch(said, /\n\s+at /, 'for people: without a stack');
    await holder.end();
    t.same(await traces(host), before);
  }
});

t.test('a second Weir on the same folder is told about the first', { skip }, async (t) => {
  const host = await openHost(t, 'twice');
  const first = await startProduct(host);
  const flags = ['--api', '--http', '--https', '--dns', '--dns-http'].flatMap((flag, index) => [
    flag,
    `127.0.0.1:${20_000 + index}`,
  ]);
  const second = launch(host, { flags });
  t.match(await second.ended, { exitCode: 1 });
  t.match(second.output(), new RegExp(`\\b${first.pid}\\b`), 'by its pid');
  t.ok(await first.api.inForce(), 'which is none the worse for it');
  const third = launch(host, { flags: ['--data', join(host.dir, 'other')] });
  t.match(await third.ended, { exitCode: 1 });
  t.match(third.output(), /127\.0\.0\.1:8080 .*for the API: the port is in use by Weir \(pid \d+\)/);
});

async function hold(host: Host, port: number, udp: boolean) {
  const script = udp
    ? `require("dgram").createSocket("udp4").bind(${port}, "127.0.0.1", () => console.log("held"))`
    : `require("net").createServer().listen(${port}, "127.0.0.1", () => console.log("held"))`;
  const [program, ...args] = host.inside([process.execPath, '-e', script]);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return {
    pid: child.pid,
    async end() {
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}
