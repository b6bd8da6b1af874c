import t, { type Test } from 'tap';
import type { MasterMessage } from '../core/model/master-port.ts';
import { testAgent } from '../core/state/testing/agents.ts';
import { MasterClient } from './client.ts';
import { startServer } from './testing/server.ts';

const certificate = {
  ...{ name: 'shop', chain: 'CHAIN', key: 'PRIVATE', hosts: ['shop.test'], notBefore: 0, notAfter: 9e12 },
};

/** The first that an edge is told of the Directory. */
async function told(t: Test, joinSecret?: string): Promise<{ first: string; nodes: unknown }> {
  const { database, url, api } = await startServer(t, { joinSecret: 'the right secret' });
  await database.commit([{ kind: 'put', table: 'certificates', key: 'shop', value: certificate }]);
  const client = new MasterClient([url], { joinSecret: () => joinSecret });
  const edge = { ...testAgent('h1'), edge: true, consumers: ['edge'] };
  const leaving = new AbortController();
  const messages: AsyncIterable<MasterMessage> = client.connect(edge, { revision: 0 }, leaving.signal);
  try {
    for await (const message of messages) {
      if (message.kind !== 'directory') continue;
      return { first: JSON.stringify(message), nodes: await api.must('GET', '/v1/routes') };
    }
  } finally {
    leaving.abort();
  }
  throw new Error('nothing was told');
}

t.test('an edge with the join secret is told keys', async (t) => {
  t.match((await told(t, 'the right secret')).first, 'PRIVATE');
});

t.test(
  'an edge without it, or with another, is told everything but keys, and that they are withheld',
  async (t) => {
    for (const secret of [undefined, 'the wrong secret']) {
      const { first, nodes } = await told(t, secret);
      t.match(nodes, { withoutKeys: ['h1'] }, 'and operators see it');
      t.notMatch(first, 'PRIVATE');
      t.match(JSON.parse(first), { delta: { from: 0, routes: { set: [] } }, withheld: true });
    }
  },
);

t.test('where nobody has to prove anything edges are told keys as before', async (t) => {
  const { database, url } = await startServer(t);
  await database.commit([{ kind: 'put', table: 'certificates', key: 'shop', value: certificate }]);
  const leaving = new AbortController();
  const edge = { ...testAgent('h1'), edge: true, consumers: ['edge'] };
  for await (const message of new MasterClient([url]).connect(edge, { revision: 0 }, leaving.signal)) {
    if (message.kind !== 'directory') continue;
    t.match(JSON.stringify(message), 'PRIVATE');
    break;
  }
  leaving.abort();
});
