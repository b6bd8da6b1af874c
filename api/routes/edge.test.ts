import t from 'tap';
import { startMaster } from '../testing/master.ts';

t.test('without an edge the walk ends at once, and routes are in force nowhere', async (t) => {
  const { api } = await startMaster(t);
  const answer = await api.must('GET', '/v1/edge/why?url=shop.example.org/x');
  t.match(answer, {
    url: 'http://shop.example.org/x',
    edges: [
      { links: [{ link: 'edge', ok: false, says: 'no edge runs', next: 'start one: weir agent --edge' }] },
    ],
  });
  t.match(await api.must('GET', '/v1/edge/routes'), {
    edges: [],
    routes: [],
    state: /^in force on 0\/0 edges, revision \d+$/,
  });
});

t.test('what is no URL, and what is no header, is refused with what was expected', async (t) => {
  const { api } = await startMaster(t);
  for (const query of ['', '?url=http://', '?url=a.test&header=nothing'])
    t.match(await api.call('GET', `/v1/edge/why${query}`), { status: 422, body: { message: /expected/ } });
});
