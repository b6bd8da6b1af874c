import t from 'tap';
import { createFakeExec, type FakeBehaviour } from '../testing/fake-exec.ts';
import { failure } from '../testing/fixture.ts';
import { NOOP_RESULT } from '../testing/noop-answer.ts';
import { delegate, delegateAdd, undoDelegate } from './delegate.ts';
import type { PluginRequest } from './plugin.ts';

const ENV = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'c1',
  CNI_NETNS: '/ns',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/plugins',
};
const CONFIG = { cniVersion: '1.1.0', name: 'blue', ipam: { type: 'pool' } };
const REQUEST: PluginRequest = {
  network: 'blue',
  cniVersion: '1.1.0',
  config: CONFIG,
  runtimeConfig: {},
  path: ['/plugins'],
  call: { env: { ...ENV, HOME: '/root' }, stdin: JSON.stringify(CONFIG) },
};

function delegation(behave?: FakeBehaviour) {
  const written: string[] = [];
  const exec = createFakeExec(behave);
  return { exec, written, timeoutMs: 1000, stderr: (text: string) => void written.push(text) };
}

t.test('delegate gets the variables and the input of its caller (P64)', async (t) => {
  const pool = delegation(() => ({ stderr: 'a line' }));
  t.same(await delegateAdd(pool, 'pool', REQUEST), NOOP_RESULT);
  t.match(pool.exec.calls, [{ type: 'pool', env: ENV, stdin: REQUEST.call.stdin }]);
  t.notOk('HOME' in (pool.exec.calls[0]?.env ?? {}));
  t.same(pool.written, ['a line']);
});

t.test('delegate that cannot be found is named (P65)', async (t) => {
  const pool = delegation();
  pool.exec.missing.add('pool');
  await t.rejects(delegateAdd(pool, 'pool', REQUEST), {
    name: 'PluginError',
    message: /plugin pool is not in \/plugins/,
  });
});

t.test('delegate errors become those of the caller', async (t) => {
  const pool = delegation(() => failure(11, 'busy'));
  await t.rejects(delegate(pool, 'pool', REQUEST), {
    name: 'PluginError',
    cniCode: 11,
    message: 'plugin pool failed: busy',
  });
  const silent = delegation(() => ({ stdout: '' }));
  await t.rejects(delegateAdd(silent, 'pool', REQUEST), { name: 'PluginError', cniCode: 6 });
});

t.test('delegate is undone with a DEL of the same call (P26)', async (t) => {
  const pool = delegation();
  await undoDelegate(pool, 'pool', REQUEST);
  t.match(pool.exec.calls, [{ command: 'DEL', env: { CNI_CONTAINERID: 'c1' }, stdin: REQUEST.call.stdin }]);
});
