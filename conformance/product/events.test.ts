import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { request } from 'undici';
import { webServer } from './definitions.ts';
import { type Event, openEvents, upTo } from './event-stream.ts';
import { openHost } from './host.ts';
import { startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
const python = '/usr/bin/python3';
const withoutClient =
  spawnSync(python, ['-c', 'import marathon']).status === 0 ? false : 'needs python3-marathon';

t.test('the event stream tells a deployment in order', { skip }, async (t) => {
  const host = await openHost(t, 'events');
  const { api } = await startProduct(host);
  const refused = await request('http://127.0.0.1:8080/v2/events', { dispatcher: host.tunnel.single });
  await refused.body.dump();
  t.equal(refused.statusCode, 405, 'for those who ask for a stream only');

  const events = await openEvents(host, t);
  t.match(await events.next(), { value: { eventType: 'event_stream_attached' } });
  await api.must('POST', '/v2/apps', webServer('/web', { instances: 1 }));
  const deployed = await upTo(events, 'deployment_success');
  inOrder(deployed, [
    'group_change_success',
    'deployment_info',
    'status_update_event TASK_STAGING',
    'status_update_event TASK_RUNNING',
    'instance_health_changed_event',
    'deployment_step_success',
    'deployment_success',
  ]);
  t.ok(deployed.some(({ eventType }) => eventType === 'api_post_event'));
  const running = deployed.find((event) => event['taskStatus'] === 'TASK_RUNNING');
  t.match(running, {
    appId: '/web',
    taskId: /^web\.instance-/,
    host: String,
    slaveId: String,
    ipAddresses: [{ ipAddress: /^100\.64\./, protocol: 'IPv4' }],
    version: String,
    timestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  });

  await api.must('DELETE', '/v2/apps/web');
  const removed = await upTo(events, 'deployment_success');
  inOrder(removed, [
    'group_change_success',
    'deployment_info',
    'status_update_event TASK_KILLED',
    'deployment_step_success',
    'deployment_success',
  ]);

  const only = await openEvents(host, t, '?event_type=deployment_success&event_type=deployment_failed');
  await api.deploy(webServer('/web', { instances: 1 }));
  t.match(await only.next(), { value: { eventType: 'deployment_success' } }, 'by kind');

  function inOrder(all: readonly Event[], wanted: readonly string[]): void {
    const names = all.map(({ eventType, taskStatus }) => [eventType, taskStatus].filter(Boolean).join(' '));
    let at = -1;
    for (const name of wanted) {
      const next = names.indexOf(name, at + 1);
      t.ok(next > at, `${name} in its place of: ${names.join(', ')}`);
      at = Math.max(at, next);
    }
  }
});

t.test('an existing client of Marathon works', { skip: skip || withoutClient }, async (t) => {
  const host = await openHost(t, 'client');
  await startProduct(host);
  const steps = fileURLToPath(new URL('marathon-client.py', import.meta.url));
  const { exitCode, stdout, stderr } = await host.exec([python, steps, 'http://127.0.0.1:8080']);
  t.equal(exitCode, 0, stderr);
  t.same(stdout.split('\n'), [
    'ping "pong"',
    'created /client 2',
    'listed /client',
    'running 2',
    'tasks 2',
    'scaled 1',
    'restarted 1',
    'killed 1',
    'deployments 0',
    'deleted 0',
  ]);
});
