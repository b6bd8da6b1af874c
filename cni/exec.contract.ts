import type { Test } from 'tap';
import type { ExecRequest, PluginExec } from './exec.ts';

export type ExecSubject = {
  readonly exec: PluginExec;
  /** Holds the recording plugin under the name `noop`. */
  readonly dirs: readonly string[];
};

/** What every implementation of the seam does. */
export function execContract(t: Test, create: (t: Test) => Promise<ExecSubject>): void {
  t.test('find gives a path that run accepts', async (t) => {
    const { exec, dirs } = await create(t);
    const outcome = await exec.run(await exec.find('noop', dirs), request({}));
    t.match(outcome, { end: 'exited', exitCode: 0 });
    t.match(JSON.parse(outcome.stdout), { cniVersion: '1.1.0' });
  });

  t.test('find names the plugin and the search path when there is none (R48)', async (t) => {
    const { exec, dirs } = await create(t);
    for (const type of ['absent', '', 'a/b', '../noop']) {
      await t.rejects(exec.find(type === 'absent' ? '/absent' : type, dirs), {
        code: 'WEIR_CNI_PLUGIN_MISSING',
      });
    }
    await t.rejects(exec.find('x/y', dirs), { message: new RegExp(`x/y.*${dirs[0]}`) });
  });

  t.test('run reports a failing plugin as an outcome', async (t) => {
    const { exec, dirs } = await create(t);
    const fail = { code: 7, msg: 'no such bridge' };
    const outcome = await exec.run(await exec.find('noop', dirs), request({ fail, stderr: 'a line' }));
    t.match(outcome, { end: 'exited', exitCode: 1, stderr: 'a line' });
    t.match(JSON.parse(outcome.stdout), fail);
  });

  t.test('run ends a plugin that takes too long', async (t) => {
    const { exec, dirs } = await create(t);
    const outcome = await exec.run(await exec.find('noop', dirs), {
      ...request({ hang: true }),
      timeoutMs: 300,
    });
    t.equal(outcome.end, 'timeout');
  });

  t.test('run does not start a plugin for a caller that has given up', async (t) => {
    const { exec, dirs } = await create(t);
    const signal = AbortSignal.abort();
    const outcome = await exec.run(await exec.find('noop', dirs), { ...request({}), signal });
    t.equal(outcome.end, 'aborted');
  });

  t.test('stopOrphans has nothing to do for attachments nobody works on', async (t) => {
    const { exec } = await create(t);
    await t.resolves(exec.stopOrphans([{ containerId: 'weir-nobody', ifName: 'eth0' }]));
  });
}

function request(add: object): ExecRequest {
  const env = { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'c1', CNI_NETNS: '/ns', CNI_IFNAME: 'eth0' };
  const stdin = JSON.stringify({ cniVersion: '1.1.0', name: 'blue', type: 'noop', noop: { ADD: add } });
  return { env, stdin, timeoutMs: 30_000 };
}
