import { existsSync } from 'node:fs';
import t from 'tap';
import { becomes } from '../lab/processes.ts';
import { linesToTry } from './demo-output.ts';
import { openHost } from './host.ts';
import { containerThings, differences, processesOfTask, traces } from './machine.ts';
import { down, repository, startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

t.test('weir dev --demo tells what to try, stops, adopts and goes without a trace', { skip }, async (t) => {
  const host = await openHost(t, 'demo');
  const before = await traces(host);
  const first = await startProduct(host, { flags: ['--demo'] });
  const told = await becomes(async () => first.output().includes('Ctrl-C stops Weir'), 30_000);
  t.ok(told, 'it says when it is ready');

  const lines = linesToTry(first.output());
  t.equal(lines.length, 6, 'it names what to try');
  for (const line of lines) t.match(await answer(line), expected(line), line);
  const app = await first.api.app('/hello');
  t.match(app, { instances: 2, tasksRunning: 2, tasksHealthy: 2, deployments: [] });

  const tasks = (await first.api.tasks('/hello')).map((task) => task.id).toSorted();
  const pids = tasks.map(processesOfTask);
  t.ok(pids.every((group) => group.length > 0));
  t.same(await first.end('SIGINT'), { exitCode: 0, signal: null }, 'Ctrl-C stops it cleanly');
  t.same(tasks.map(processesOfTask), pids, 'apps go on running');

  const second = await startProduct(host, { flags: ['--demo'] });
  await second.api.until('/hello', ({ tasksHealthy }) => tasksHealthy === 2);
  t.same((await second.api.tasks('/hello')).map((task) => task.id).toSorted(), tasks, 'same tasks');
  t.same(tasks.map(processesOfTask), pids, 'same processes');
  for (const line of lines) t.match(await answer(line), expected(line), `after the second start: ${line}`);

  const things = await containerThings(host.netns);
  t.ok(things.length > 4, 'containers have namespaces and control groups');
  t.same(await second.end('SIGINT'), { exitCode: 0, signal: null });
  t.match(await down(host), { exitCode: 0 });
  t.same(things.filter(existsSync), [], 'no namespace or control group is left');
  t.same(tasks.map(processesOfTask), [[], []], 'no process of a task is left');
  t.same(
    await differences(before, () => traces(host)),
    [],
    'no link, address, route, table, process or mount is left',
  );

  function answer(line: string): Promise<string> {
    return host.shell(line, { cwd: repository });
  }
});

function expected(line: string): RegExp {
  if (line.startsWith('curl')) return /^Hello from hello\.instance-\S+ at 100\.64\.0\.\d+:8080$/;
  if (line.endsWith('SRV')) return /^(0 1 8080 hello-[a-z0-9]{5}-\S+\.marathon\.mesos\.\n?){2}$/;
  if (line.startsWith('dig')) return /^100\.100\.\d+\.\d+$/;
  return /^\/hello +2\/2 +2\/2/m;
}
