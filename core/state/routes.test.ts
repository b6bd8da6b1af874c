import t from 'tap';
import { operatorRoute } from './routes.ts';

t.test("an operator's route keeps its own name", async (t) => {
  const service = { appId: '/web', portIndex: 1 };
  t.same(operatorRoute({ id: 'r1', host: 'a', pathPrefix: '/x', service }), {
    id: 'route:r1',
    host: 'a',
    pathPrefix: '/x',
    service,
    owner: 'route:r1',
  });
});
