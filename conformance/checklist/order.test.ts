import t from 'tap';
import { openHost } from '../product/host.ts';
import { boundFaults, readTrace, tracedServer, versionOf } from '../product/life-trace.ts';
import { startProduct } from '../product/product.ts';
import { sleeper } from './sleeper.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
// On a busy machine.
t.setTimeout(300_000);

type Row = {
  readonly n: number;
  readonly health: number;
  readonly over: number;
  readonly atLeast: number;
  readonly atMost: number;
};

/** Rows of Marathon §15.4: instances, capacities, and what follows for ready and for all. */
const rows: readonly Row[] = [
  { n: 10, health: 1, over: 1, atLeast: 10, atMost: 20 },
  { n: 4, health: 0.5, over: 0.25, atLeast: 2, atMost: 5 },
  { n: 3, health: 1, over: 0, atLeast: 3, atMost: 4 },
  { n: 5, health: 0.5, over: 0, atLeast: 3, atMost: 5 },
  { n: 1, health: 0, over: 0, atLeast: 0, atMost: 1 },
  { n: 3, health: 0.5, over: 0.5, atLeast: 2, atMost: 4 },
];

t.test('rolling replacement, dependencies and groups', { skip }, async (t) => {
  const host = await openHost(t, 'clorder');
  const { api } = await startProduct(host);

  await t.test(
    'checklist 7: every row of the table of upgrades keeps its bounds at every moment',
    async (t) => {
      for (const row of rows) await api.must('POST', '/v2/apps', rolling(row));
      for (const row of rows) await replaced(row);
      const change = rows.map((row) => ({ id: idOf(row), env: versionOf('1') }));
      await api.must('PUT', '/v2/apps', change);
      for (const row of rows) await replaced(row);
      for (const row of rows) {
        const moments = readTrace(host).filter(({ app }) => app === idOf(row));
        const started = moments.filter(({ what }) => what === 'starts');
        t.equal(started.length, 2 * row.n, `${idOf(row)}: each instance was replaced once`);
        t.same(boundFaults(moments, row.n, row), [], `${row.atLeast} ready at least, ${row.atMost} at most`);
      }
      await api.must('PUT', '/v2/groups', { id: '/', apps: [] });
      await api.eventually('/v2/deployments', (all: readonly unknown[]) => all.length === 0);
    },
  );

  await t.test('checklist 8: what depends on others starts after them', async (t) => {
    const apps = [
      sleeper('web', { dependencies: ['api'] }),
      sleeper('api', { dependencies: ['db'] }),
      sleeper('db'),
    ];
    await api.must('POST', '/v2/groups', { id: '/line', apps });
    await inOrder(['/line/db', '/line/api', '/line/web']);

    const groups = [
      { id: 'front', dependencies: ['/stack/back'], apps: [sleeper('page')] },
      { id: 'back', apps: [sleeper('store')] },
    ];
    await api.must('POST', '/v2/groups', { id: '/stack', groups });
    await inOrder(['/stack/back/store', '/stack/front/page']);

    const ring = [sleeper('a', { dependencies: ['b'] }), sleeper('b', { dependencies: ['a'] })];
    t.match(await api.call('POST', '/v2/groups', { id: '/ring', apps: ring }), {
      status: 422,
      text: /Dependency graph has cyclic dependencies\./,
    });
    t.match(await api.call('GET', '/v2/groups/ring'), { status: 404 });

    async function inOrder(ids: readonly string[]): Promise<void> {
      for (const id of ids) await api.settled(id);
      const tasks = await Promise.all(ids.map(async (id) => (await api.tasks(id))[0]));
      for (const [index, task] of tasks.entries())
        if (index > 0)
          t.ok(
            (task?.stagedAt ?? '') >= (tasks[index - 1]?.startedAt ?? 'never'),
            `${ids[index]} after ${ids[index - 1]}`,
          );
    }
  });

  await t.test('checklist 9: lists of a group, its scale, a dry run, an older version', async (t) => {
    const apps = [sleeper('one', { instances: 3 }), sleeper('two')];
    const { version } = await api.must<{ version: string }>('POST', '/v2/groups', { id: '/team', apps });
    await api.settled('/team/one');
    const names = async () => {
      const { apps } = await api.must<{ apps: { id: string; instances: number }[] }>(
        'GET',
        '/v2/groups/team',
      );
      return apps.map(({ id, instances }) => `${id} ${instances}`).toSorted();
    };
    await change({ groups: [{ id: 'inner' }] });
    t.same(await names(), ['/team/one 3', '/team/two 1'], 'what is left out stays');
    await change({ scaleBy: 1.5 });
    t.same(await names(), ['/team/one 5', '/team/two 2']);

    const before = await api.call('GET', '/v2/groups');
    const dry = await api.call('PUT', '/v2/groups/team?dryRun=true', { apps: [sleeper('three')] });
    t.match(dry, {
      status: 200,
      body: { steps: [{ actions: [{}, {}] }, { actions: [{ action: 'StartApplication' }] }, {}] },
    });
    t.equal((await api.call('GET', '/v2/groups')).text, before.text, 'a dry run leaves no trace');

    await change({ apps: [] });
    t.same(await names(), [], 'an empty list removes');
    await change({ version });
    t.same(await names(), ['/team/one 3', '/team/two 1'], 'as it was');
    t.match(await api.call('PUT', '/v2/groups/team', { version: '2001-01-01T00:00:00.000Z' }), {
      status: 422,
      text: /Group \/team not available in version/,
    });

    async function change(body: object): Promise<void> {
      await api.must('PUT', '/v2/groups/team', body);
      await api.eventually('/v2/deployments', (all: readonly unknown[]) => all.length === 0);
    }
  });

  function rolling(row: Row) {
    const strategy = { minimumHealthCapacity: row.health, maximumOverCapacity: row.over };
    return tracedServer(host, idOf(row), { instances: row.n, strategy });
  }

  async function replaced(row: Row): Promise<void> {
    await api.until(idOf(row), (app) => app.tasksHealthy === row.n && app.deployments.length === 0);
  }
});

function idOf({ n, health, over }: Row): string {
  return `/roll/n${n}-${health * 100}-${over * 100}`;
}
