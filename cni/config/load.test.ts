import { join } from 'node:path';
import t from 'tap';
import { silentLog } from '../../core/kit/log.ts';
import { recordingLog } from '../testing/fixture.ts';
import { loadNetworks } from './load.ts';

const list = (name: string, ...types: string[]) =>
  JSON.stringify({ cniVersion: '1.0.0', name, plugins: types.map((type) => ({ type })) });

t.test('loader reads lists and single plugins of a folder (R1, R2)', async (t) => {
  const dir = t.testdir({
    '20-b.conflist': list('b', 'bridge', 'portmap'),
    '10-a.conf': '{"name":"a","type":"ptp"}',
    '30-c.json': '{"name":"c","type":"vlan"}',
    'README.md': 'not a network',
  });

  const { networks, problems } = await loadNetworks(dir, silentLog);

  t.same(problems, []);
  t.same(
    networks.map(({ name, plugins }) => [name, ...plugins.map(({ type }) => type)]),
    [
      ['b', 'bridge', 'portmap'],
      ['a', 'ptp'],
      ['c', 'vlan'],
    ],
  );
});

t.test('loader leaves a bad file out, names it, and loads the others (R3)', async (t) => {
  const dir = t.testdir({
    '1.conflist': '{"plugins":[{"type":"bridge"}]}',
    '2.conflist': '{"name":"a"}',
    '3.conflist': '{"name":"a","plugins":[]}',
    '4.conflist': '{"name":"a","plugins":[{}]}',
    '5.conflist': '{',
    '6.conflist': list('good', 'bridge'),
    '7.conflist': {},
  });

  const { networks, problems } = await loadNetworks(dir, silentLog);

  t.same(
    networks.map(({ name }) => name),
    ['good'],
  );
  t.equal(problems.length, 6);
  for (const [index, problem] of problems.entries()) {
    const file = ['1', '2', '3', '4', '5', '7'][index];
    t.match(problem.message, join(dir, `${file}.conflist`));
  }
});

t.test('loader takes the first of two files with one network name and warns (R5)', async (t) => {
  const dir = t.testdir({ 'a.conflist': list('same', 'first'), 'b.conflist': list('same', 'second') });
  const { log, lines } = recordingLog();

  const { networks, problems } = await loadNetworks(dir, log);

  t.equal(networks[0]?.plugins[0]?.type, 'first');
  t.match(problems, [{ message: /b.conflist: network same is already defined/ }]);
  t.equal(lines.length, 1);
});

t.test('loader adds the plugins of the folder named like the network', async (t) => {
  const dir = t.testdir({
    'a.conflist': list('a', 'bridge'),
    'only.conflist': '{"name":"only","plugins":[]}',
    'closed.conflist': '{"name":"closed","loadOnlyInlinedPlugins":true,"plugins":[{"type":"bridge"}]}',
    a: { '20.conf': '{"type":"tuning"}', '10.conf': '{"type":"portmap"}', 'x.txt': 'no' },
    only: { '1.conf': '{"type":"ptp"}' },
    closed: { '1.conf': '{"type":"ptp"}' },
  });

  const { networks } = await loadNetworks(dir, silentLog);

  const types = Object.fromEntries(
    networks.map(({ name, plugins }) => [name, plugins.map(({ type }) => type)]),
  );
  t.same(types, { a: ['bridge', 'portmap', 'tuning'], only: ['ptp'], closed: ['bridge'] });
});

t.test('loader finds nothing in a folder that does not exist', async (t) => {
  t.same(await loadNetworks(join(t.testdir(), 'absent'), silentLog), { networks: [], problems: [] });
});
