import t from 'tap';
import { notActedOn } from './not-acted-on.ts';
import { parseApp } from './parse-app.ts';
import { renderDefinition } from './render-app.ts';

const whole = {
  id: '/all',
  cmd: 'x',
  gpus: 2,
  executor: '/my/executor',
  executorResources: { cpus: 0.5 },
  resourceLimits: { cpus: 2, mem: 'unlimited' },
  role: 'dev',
  acceptedResourceRoles: ['*'],
  residency: { taskLostBehavior: 'wait_forever' },
  secrets: { pw: { source: '/team/pw' } },
  env: { PW: { secret: 'pw' } },
  fetch: [{ uri: 'http://h/a.tgz', destPath: 'b', cache: true }],
  tty: true,
  container: {
    type: 'MESOS',
    docker: { image: 'alpine', pullConfig: { secret: 'pw' } },
    linuxInfo: { seccomp: { unconfined: true }, ipcInfo: { mode: 'private', shmSize: 8 } },
    volumes: [
      { containerPath: 'data', mode: 'RW', persistent: { size: 10, type: 'mount', maxSize: 20 } },
      {
        containerPath: '/e',
        external: { name: 'v', provider: 'dvdi', options: { 'dvdi/driver': 'rexray' } },
      },
      { containerPath: '/s', secret: 'pw' },
      { containerPath: '/h', hostPath: '/tmp', mode: 'RO' },
    ],
  },
};

t.test('every field is kept, shown as it was given, and taken again', async (t) => {
  const parsed = parseApp(whole);
  if (!parsed.ok) return t.fail(JSON.stringify(parsed.body));
  const shown = renderDefinition(parsed.value);
  t.match(shown, {
    ...whole,
    residency: { taskLostBehavior: 'WAIT_FOREVER' },
    executorResources: { cpus: 0.5, mem: 32, disk: 10 },
    container: { ...whole.container, linuxInfo: { ipcInfo: { mode: 'PRIVATE' } } },
  });
  t.same(parseApp(shown), parsed);
});

t.test('what is not acted on is named, and what is acted on is not', async (t) => {
  const parsed = parseApp(whole);
  const named = parsed.ok ? notActedOn(parsed.value).map((text) => text.split(':')[0]) : [];
  t.same(named, [
    ...['fetch.cache', 'executor', 'executorResources', 'resourceLimits.cpus', 'residency', 'secrets', 'tty'],
    ...['container.docker.pullConfig', 'container.linuxInfo', 'container.volumes.persistent'],
    ...['container.volumes.external', 'container.volumes.secret'],
  ]);
  const plain = parseApp({ id: '/a', cmd: 'x', gpus: 1, role: 'a', resourceLimits: { mem: 200 } });
  t.same(parsed.ok && plain.ok && notActedOn(plain.value), []);
});
