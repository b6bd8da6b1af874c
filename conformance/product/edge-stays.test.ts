import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { backendApp } from '../edge/edge-host.ts';
import { becomes } from '../lab/processes.ts';
import { Api } from './api.ts';
import { type Host, openHost } from './host.ts';
import { dataOf, type Running, spawnWeir } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
const address = '100.127.255.1';

async function setUp(t: Test, label: string) {
  const host = await openHost(t, label);
  await host.shell(`ip address replace ${address}/32 dev lo`);
  const data = join(dataOf(host), 'agent');
  const startAgent = (stays = '30', flags: readonly string[] = []): Running =>
    spawnWeir(host, [
      ...['agent', '--address', address, '--hostname', 'h1', '--data', data],
      ...['--edge', '--edge-stays', stays, ...flags],
    ]);
  /** Processes of edges that are there: one socket each. */
  const edges = async () => (await readdir(data)).filter((name) => /^edge-\d+\.sock$/.test(name));
  spawnWeir(host, ['master', '--network-backend', 'host-gw', '--data', join(dataOf(host), 'master')]);
  const api = new Api(host.tunnel);
  const agent = startAgent();
  await becomes(() => api.inForce().catch(() => false), 60_000);
  return { host, api, agent, startAgent, edges };
}

function startClient(host: Host, upgraded: number, perSecond: number) {
  const program = fileURLToPath(new URL('restart-client.ts', import.meta.url));
  const [file, ...args] = host.inside([process.execPath, program, '8000', `${upgraded}`, `${perSecond}`]);
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'close');
  return {
    /** Until it has sent so many more. */
    async more(requests: number) {
      const before = said.length;
      await becomes(async () => (said.length - before) * 50 >= requests, 30_000);
    },
    async stop() {
      child.stdin.end();
      await ended;
      return JSON.parse(said.trim().split('\n').at(-1) ?? '') as {
        sent: number;
        failed: number;
        failures: string[];
        alive: number;
      };
    },
  };
}

/** Status of the first answer by a route that is added now. */
async function addLate({ host, api }: { readonly host: Host; readonly api: Api }): Promise<string> {
  await api.must('POST', '/v1/routes', { host: 'late.example', app: '/backend' });
  await api.spread();
  return host.shell(
    'curl --silent --fail -o /dev/null -w %{http_code} -H "Host: late.example" 127.0.0.1:8000/',
  );
}

t.test(
  'an agent is restarted twice, once by kill -9: no request fails and no WebSocket ends',
  { skip },
  async (t) => {
    const { host, api, agent, startAgent } = await setUp(t, 'stays');
    await api.deploy(backendApp('/backend'));
    await api.until('/backend', ({ tasksHealthy }) => tasksHealthy === 1);
    await api.must('POST', '/v1/routes', { host: 'edge.example', app: '/backend' });
    await api.spread();
    const client = startClient(host, 50, 500);
    await client.more(500);
    t.match(await agent.end('SIGTERM'), { exitCode: 0 });
    await client.more(500);
    const second = startAgent();
    await becomes(async () => second.output().includes('goes on as it was left'), 20_000);
    await becomes(() => api.inForce(), 20_000);
    await second.end('SIGKILL');
    const third = startAgent();
    await becomes(async () => third.output().includes('goes on as it was left'), 20_000);
    await becomes(() => api.inForce(), 20_000);
    // What is added now is in force by the edge that was there before.
    t.match(await addLate({ host, api }), '200');
    const { sent, failed, failures, alive } = await client.stop();
    t.comment(`${sent} requests`);
    t.same({ failed, failures, alive }, { failed: 0, failures: [], alive: 50 });
    t.ok(sent > 1_000);
    await third.end('SIGTERM');
  },
);

t.test(
  'other flags and new code take over an edge under load: no request fails, and WebSockets go on where they are',
  { skip },
  async (t) => {
    const { host, api, agent, startAgent, edges } = await setUp(t, 'flags');
    await api.deploy(backendApp('/backend'));
    await api.until('/backend', ({ tasksHealthy }) => tasksHealthy === 1);
    await api.must('POST', '/v1/routes', { host: 'edge.example', app: '/backend' });
    await api.must('POST', '/v1/listeners', { name: 'db', protocol: 'tcp', port: 5432, app: '/backend' });
    await api.spread();
    const client = startClient(host, 50, 500);
    await client.more(500);
    t.match(await agent.end('SIGTERM'), { exitCode: 0 });
    const flags = ['--min-tls', '1.3', '--access-log', join(dataOf(host), 'access.log')];
    const other = startAgent('30', flags);
    t.ok(await becomes(async () => other.output().includes('another takes over'), 20_000));
    t.ok(await becomes(() => api.inForce(), 20_000));
    await client.more(500);
    t.equal((await edges()).length, 2, 'the first serves the WebSockets');
    t.match(
      await host.shell(`wc -l < ${join(dataOf(host), 'access.log')}`),
      /[1-9]/,
      'the flags are in force',
    );
    process.kill(other.pid, 'SIGUSR2');
    t.ok(await becomes(async () => other.output().includes('have taken over'), 20_000));
    await client.more(500);
    t.equal((await edges()).length, 2, 'the second had none and is gone');
    t.match(await addLate({ host, api }), '200');
    const { sent, failed, failures, alive } = await client.stop();
    t.comment(`${sent} requests`);
    t.same({ failed, failures, alive }, { failed: 0, failures: [], alive: 50 });
    t.ok(await becomes(async () => (await edges()).length === 1, 20_000), 'without clients it ends');
    await other.end('SIGTERM');
  },
);

t.test(
  'an edge that nobody takes over ends by itself; other settings are another edge',
  { skip },
  async (t) => {
    const { host, agent, startAgent } = await setUp(t, 'leaves');
    const listens = "require('net').createServer().listen(8053, '127.0.0.1')";
    const [file, ...args] = host.inside([process.execPath, '-e', listens]);
    const holder = spawn(file, args, { stdio: 'ignore' });
    t.teardown(() => holder.kill());
    const answers = async () =>
      (await host.exec(['curl', '--silent', '-o', '/dev/null', '127.0.0.1:8000/'])).exitCode === 0;
    t.ok(await answers());
    await agent.end('SIGTERM');
    t.ok(await answers(), 'it stays');
    const taken = startAgent('30', ['--http', '127.0.0.1:8053']);
    t.match(await taken.ended, { exitCode: 1 }, 'a port that cannot be had');
    t.match(taken.output(), /127\.0\.0\.1:8053/);
    t.ok(await answers(), 'it stays as it is');
    const other = startAgent('1');
    await becomes(async () => other.output().includes('another takes over'), 20_000);
    await becomes(answers, 20_000);
    await other.end('SIGTERM');
    t.ok(await becomes(async () => !(await answers()), 10_000), 'after a second it is gone');
    const none = startAgent('0');
    await becomes(answers, 20_000);
    await none.end('SIGTERM');
    t.notOk(await answers(), 'with 0 it ends with its agent');
  },
);
