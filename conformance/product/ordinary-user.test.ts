import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { request } from 'undici';
import { becomes } from '../lab/processes.ts';
import { webServer } from './definitions.ts';
import { linesToTry } from './demo-output.ts';
import { openHost } from './host.ts';
import { differences, processesOfTask, traces } from './machine.ts';
import { examplePod, podLog, podServes, processesOfPod } from './pod-api.ts';
import { dataOf, down, program, repository, startProduct } from './product.ts';

const nobody = 65_534;
const skip = whyNot();

/** A clone in a folder that only root may enter cannot be run by anyone else, which is no matter of the product. */
function whyNot(): string | false {
  if (process.getuid?.() !== 0) return 'needs root, to make a machine for an ordinary user';
  const readable = spawnSync('setpriv', [
    `--reuid=${nobody}`,
    `--regid=${nobody}`,
    '--clear-groups',
    'test',
    '-r',
    program,
  ]);
  return readable.status === 0 ? false : `needs a clone that an ordinary user may read (${repository})`;
}

t.test('an ordinary user has the whole way as well, on loopback addresses', { skip }, async (t) => {
  const host = await openHost(t, 'user');
  for (const folder of [dataOf(host), join(host.dir, 'home')]) {
    mkdirSync(folder);
    chownSync(folder, nobody, nobody);
  }
  const as = [
    'env',
    `HOME=${join(host.dir, 'home')}`,
    'setpriv',
    `--reuid=${nobody}`,
    `--regid=${nobody}`,
    '--clear-groups',
  ];
  const before = await traces(host);
  const first = await startProduct(host, { as, flags: ['--demo'] });
  t.ok(await becomes(async () => first.output().includes('Ctrl-C stops Weir'), 30_000));
  t.match(first.output(), /process containers and userspace virtual IPs/, 'it says what it does without');
  t.match(first.output(), /\.\/weir doctor/, 'and who says more');

  const lines = linesToTry(first.output());
  t.equal(lines.length, 6);
  for (const line of lines) t.match(await host.shell(line, { cwd: repository }), expected(line), line);

  const { api } = first;
  await api.deploy(webServer('/web', { vip: '/web:8888', host: 'web.example', greeting: 'one' }));
  await api.until('/web', ({ tasksHealthy }) => tasksHealthy === 2);
  await api.spread();
  const { stdout: vip } = await host.exec(['dig', '@127.0.0.1', '-p', '10053', '+short', 'web.weir']);
  t.match(vip, /^127\.100\.\d+\.\d+$/);
  const ways = [
    { url: `http://${vip}:9000/` },
    { url: 'http://127.0.0.1:8000/', headers: { host: 'web.example' } },
  ];
  for (const { url, headers = {} } of ways) t.match(await get(url, headers), / one$/, url);

  await api.must('PUT', '/v2/apps/web', { env: { GREETING: 'two' } });
  await api.settled('/web');
  for (const { url, headers = {} } of ways) t.match(await get(url, headers), / two$/, url);

  await api.must('POST', '/v2/pods', examplePod());
  const pod = await podServes(api, '/pair', 2);
  for (const { id } of pod.instances) {
    const isRead = async () =>
      (await podLog(api, id, 'writer')).some((line) => line.startsWith('read back: page'));
    t.ok(await becomes(isRead, 20_000), 'containers of a pod share a folder and reach each other');
  }
  await api.must('DELETE', '/v2/pods/pair');
  const isGone = async () => [...processesOfPod(pod).values()].flat().length === 0;
  t.ok(await becomes(isGone, 20_000), 'processes of a pod end with it');

  const hello = (await api.tasks('/hello')).map((task) => task.id).toSorted();
  const pids = hello.map(processesOfTask);
  t.same(await first.end('SIGINT'), { exitCode: 0, signal: null });
  const second = await startProduct(host, { as });
  t.same((await second.api.tasks('/hello')).map((task) => task.id).toSorted(), hello, 'adopted');
  t.same(hello.map(processesOfTask), pids);

  const web = (await second.api.tasks('/web')).map((task) => task.id);
  await second.api.remove('/web');
  t.same(web.flatMap(processesOfTask), [], 'processes end with their app');
  t.same(await second.end('SIGTERM'), { exitCode: 0, signal: null });
  t.match(await down(host, { as }), { exitCode: 0 });
  t.same(hello.flatMap(processesOfTask), []);
  t.same(await differences(before, () => traces(host)), [], 'nothing is left');

  async function get(url: string, headers: Record<string, string>): Promise<string> {
    const answer = await request(url, { dispatcher: host.tunnel.single, headers });
    return (await answer.body.text()).trim();
  }
});

function expected(line: string): RegExp {
  if (line.startsWith('curl')) return /^Hello from hello\.instance-\S+ at \S+:\d+$/;
  if (line.endsWith('SRV')) return /^(0 1 \d+ hello-\S+\.marathon\.mesos\.\n?){2}$/;
  if (line.startsWith('dig')) return /^127\.100\.\d+\.\d+$/;
  return /^\/hello +2\/2 +2\/2/m;
}
