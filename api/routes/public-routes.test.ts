import t from 'tap';
import { startMaster } from '../testing/master.ts';

t.test('routes by labels show what they do, and labels that do not work say why', async (t) => {
  const { api } = await startMaster(t);
  await api.must('POST', '/v2/apps', {
    id: '/shop/web',
    cmd: 'sleep 100',
    cpus: 0.1,
    mem: 16,
    portDefinitions: [{ port: 0 }, { port: 0 }],
    labels: {
      HAPROXY_GROUP: 'external',
      HAPROXY_0_VHOST: 'shop.example.org',
      HAPROXY_0_REDIRECT_TO_HTTPS: 'true',
      HAPROXY_0_AUTH: `Shop:ann:$5$salt$${'x'.repeat(43)}`,
      HAPROXY_0_BACKEND_HEAD: 'backend {backend}',
      HAPROXY_1_VHOST: 'raw.example.org',
      HAPROXY_1_MODE: 'tcp',
    },
  });
  const answer = await api.must('GET', '/v1/routes');
  t.notMatch(JSON.stringify(answer), '$5$');
  t.match(answer, {
    routes: [
      {
        host: 'shop.example.org',
        options: { redirectToHttps: true, auth: { realm: 'Shop', user: 'ann' } },
        endpoints: 0,
      },
    ],
    faults: [
      { app: '/shop/web', label: 'HAPROXY_0_BACKEND_HEAD', effect: 'ignored' },
      { app: '/shop/web', label: 'HAPROXY_1_MODE', effect: 'no route', reason: /HTTP only/ },
    ],
  });
});
