import t from 'tap';
import { versionKey } from '../core/state/tables.ts';
import { testAgent } from '../core/state/testing/agents.ts';
import { testApp } from '../core/state/testing/apps.ts';
import { running, testInstance, testPlacement } from '../core/state/testing/instances.ts';
import { MasterClient } from './client.ts';
import { startServer } from './testing/server.ts';

const web = testApp('/web', { version: 'v1' });
const placement = { ...testPlacement(web, 1, { hostPorts: [31_000] }), goal: 'drain' } as const;
const id = placement.instanceId;

t.test('an agent that does not know of draining is told that what drains is gone', async (t) => {
  const { database, url } = await startServer(t);
  await database.commit([
    { kind: 'put', table: 'agents', key: 'h1', value: testAgent('h1') },
    { kind: 'put', table: 'versions', key: versionKey('/web', 'v1'), value: web },
    { kind: 'put', table: 'placements', key: id, value: placement },
    { kind: 'put', table: 'instances', key: id, value: testInstance(placement, running()) },
  ]);
  for (const [understands, told] of [
    [undefined, []],
    [['draining'], [{ instanceId: id, ready: false, draining: {} }]],
  ] as const) {
    const leaving = new AbortController();
    const agent = testAgent('h1', { consumers: ['vip'], ...(understands && { understands }) });
    for await (const message of new MasterClient([url]).connect(agent, { revision: 0 }, leaving.signal)) {
      if (message.kind !== 'directory') continue;
      t.match(message.delta.endpoints?.set, told);
      t.equal(message.delta.endpoints?.set.length, told.length);
      break;
    }
    leaving.abort();
  }
});
