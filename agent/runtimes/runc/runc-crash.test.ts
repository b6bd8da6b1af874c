import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseMark } from '../local/process-mark.ts';
import { untilThere } from '../local/until-there.ts';
import { endOf, needsRoot, type RuncHost, runcHost, tracesOf } from './runc-testing.ts';

const test = (name: string, body: (t: Test, host: RuncHost) => Promise<void>) =>
  t.test(name, { skip: needsRoot }, async (t) => body(t, await runcHost(t)));

test('a container outlives the agent and its process group, and is adopted', async (t, host) => {
  const agent = startInAnotherAgent(host);
  await once(agent, 'message');
  process.kill(-agent.pid!, 'SIGKILL');
  await once(agent, 'exit');
  const [container] = await host.open().list();
  t.match(container, { id: 'web', labels: { kept: true }, state: { kind: 'running' } });
  t.match(await host.open().exec('web', { argv: ['/bin/echo', 'alive'], timeoutMs: 20_000 }), {
    output: 'alive\n',
  });
  t.match(await host.open().stop('web', 20_000), { exitCode: 143 });
});

/** Files that appear one after the other while a container starts. */
const moments = [
  'data/containers/web/spec.json',
  'data/containers/web/claim',
  'data/containers/web/attach',
  'data/runc/web/state.json',
  'data/containers/web/pidfile',
  'data/containers/web/leader',
];

for (const moment of moments) {
  test(`an agent killed when ${moment} appears leaves nothing that cannot be started or removed`, async (t, host) => {
    const agent = startInAnotherAgent(host);
    await untilThere(join(host.dir, moment));
    agent.kill('SIGKILL');
    await once(agent, 'exit');
    const runtime = host.open();
    t.match(await runtime.list(), [{ id: 'web', labels: { kept: true } }]);
    await runtime.start('web');
    t.match(await runtime.list(), [{ id: 'web', state: { kind: 'running' } }]);
    await runtime.remove('web');
    t.same(await runtime.list(), []);
    t.same(await tracesOf(host), []);
  });
}

test('a start cut short can be removed without being finished', async (t, host) => {
  const agent = startInAnotherAgent(host);
  await untilThere(join(host.dir, 'data/containers/web/claim'));
  agent.kill('SIGKILL');
  await once(agent, 'exit');
  await host.open().remove('web');
  t.same(await host.open().list(), []);
  t.same(await tracesOf(host), []);
});

test('a container whose monitor was killed goes on, and its end is told as unseen', async (t, host) => {
  const runtime = host.open();
  await runtime.create(host.spec('web', 'exec sleep 300'));
  await runtime.start('web');
  const monitor = parseMark(await readFile(join(host.dataDir, 'containers/web/claim'), 'utf8'));
  process.kill(monitor!.pid, 'SIGKILL');
  const state = (await runtime.list())[0]?.state;
  t.equal(state?.kind, 'running');
  if (state?.kind === 'running') process.kill(state.pid, 'SIGKILL');
  t.match(await endOf(runtime, 'web'), { exitCode: undefined, reason: /not seen/ });
  await runtime.remove('web');
  t.same(await tracesOf(host), []);
});

/** A process of its own that creates and starts `web`, then says so and waits. */
function startInAnotherAgent(host: RuncHost) {
  const spec = host.spec('web', 'exec sleep 300', { labels: { kept: true } });
  const script = `
    import { RuncRuntime } from ${JSON.stringify(new URL('runc-runtime.ts', import.meta.url).href)};
    import { systemClock } from ${JSON.stringify(new URL('../../../core/kit/clock.ts', import.meta.url).href)};
    const runtime = new RuncRuntime({ ...${JSON.stringify({ dataDir: host.dataDir, scope: host.scope })}, clock: systemClock });
    await runtime.create(${JSON.stringify(spec)});
    await runtime.start('web');
    process.send('started');
    process.on('message', () => {});
  `;
  const args = ['--input-type=module', '--eval', script];
  return spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}
