import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { listener, listenWith, ownRoute } from '../testing/listeners.ts';
import { answerEach, rawClient } from '../testing/peers.ts';

const hasHaproxy = spawnSync('haproxy', ['-v']).status === 0;
const hasNginx = spawnSync('nginx', ['-v']).status === 0;
const get = 'GET / HTTP/1.1\r\nHost: web.test\r\n\r\n';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Until it listens. */
async function started(t: Test, child: ChildProcess, port: number): Promise<void> {
  t.teardown(() => child.kill('SIGKILL'));
  for (;;) {
    const socket = connect({ port, host: '127.0.0.1' });
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
  }
}

async function haproxy(t: Test, port: number, section: string): Promise<void> {
  const file = join(t.testdir({}), 'haproxy.cfg');
  writeFileSync(
    file,
    `global\n  nbthread 1\ndefaults\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\n${section}\n`,
  );
  await started(t, spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' }), port);
}

async function nginx(t: Test, port: number, server: string): Promise<void> {
  const folder = t.testdir({});
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; pid ${folder}/pid; error_log /dev/null; worker_processes 1; master_process off;
events {} http { access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p;
fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s; server { ${server} } }\n`,
  );
  await started(t, spawn('nginx', ['-c', file, '-p', folder], { stdio: 'ignore' }), port);
}

for (const [version, word] of [
  ['v1', 'send-proxy'],
  ['v2', 'send-proxy-v2'],
] as const) {
  t.test(
    `HAProxy before the edge tells it the client with ${version}`,
    { skip: !hasHaproxy && 'needs haproxy' },
    async (t) => {
      const wanted = listener('http', { table: 'l4', options: { acceptProxy: ['127.0.0.1'] } });
      const { backends, port } = await listenWith(t, wanted, { answers: [answerEach()] });
      const front = await freePort();
      await haproxy(
        t,
        front,
        `listen f\n  mode tcp\n  bind 127.0.0.1:${front}\n  source 127.0.0.1\n  server e 127.0.0.1:${port} ${word}`,
      );
      const socket = connect({ port: front, host: '127.0.0.1', localAddress: '127.0.0.9' });
      socket.write(get);
      await once(socket, 'data');
      t.match(backends[0]!.text, 'X-Forwarded-For: 127.0.0.9\r\n');
      t.match(backends[0]!.text, `X-Forwarded-Port: ${front}\r\n`);
      socket.destroy();
    },
  );

  t.test(
    `HAProxy behind the edge is told the client with ${version}`,
    { skip: !hasHaproxy && 'needs haproxy' },
    async (t) => {
      const back = await freePort();
      await haproxy(
        t,
        back,
        `frontend b\n  mode http\n  bind 127.0.0.1:${back} accept-proxy\n  http-request return status 200 content-type text/plain lf-string "%[src] %[dst_port]\\n"`,
      );
      const routes = [ownRoute('/web', { options: { sendProxy: version } })];
      for (const protocol of ['tcp', 'http'] as const) {
        const { port } = await listenWith(t, listener(protocol, { table: 'l4' }), { ports: [back], routes });
        const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.9' });
        socket.write(get);
        const [answer] = (await once(socket, 'data')) as [Buffer];
        t.match(String(answer), `127.0.0.9 ${port}\n`, protocol);
        socket.destroy();
      }
    },
  );

  t.test(
    `nginx behind the edge is told the client with ${version}`,
    { skip: !hasNginx && 'needs nginx' },
    async (t) => {
      const back = await freePort();
      const answer = 'return 200 "$proxy_protocol_addr $proxy_protocol_server_port\\n";';
      await nginx(t, back, `listen 127.0.0.1:${back} proxy_protocol; location / { ${answer} }`);
      const routes = [ownRoute('/web', { options: { sendProxy: version } })];
      const { port } = await listenWith(t, listener('tcp'), { ports: [back], routes });
      const client = await rawClient(port);
      client.send(get);
      t.match(await client.until(`127.0.0.1 ${port}\n`), '200 OK');
      client.socket.destroy();
    },
  );
}
