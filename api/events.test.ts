import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { testApp } from '../core/state/testing/apps.ts';
import type { SeenEvent } from './testing/event-reader.ts';
import { startMaster } from './testing/master.ts';
import { startServer } from './testing/server.ts';

const check = { protocol: 'MESOS_TCP', portIndex: 0 };
const app = { id: '/web', cmd: 'sleep 100', cpus: 0.1, mem: 16, healthChecks: [check] };

/** What §9.2 of the contract says that each type carries. */
const fields: Readonly<Record<string, readonly string[]>> = {
  event_stream_attached: ['remoteAddress'],
  api_post_event: ['clientIp', 'uri', 'appDefinition'],
  group_change_success: ['groupId', 'version'],
  deployment_info: ['plan', 'currentStep'],
  deployment_step_success: ['plan', 'currentStep'],
  deployment_success: ['id', 'plan'],
  add_health_check_event: ['appId', 'version', 'healthCheck'],
  remove_health_check_event: ['appId'],
  instance_changed_event: ['instanceId', 'condition', 'runSpecId', 'agentId', 'host', 'runSpecVersion'],
  instance_health_changed_event: ['instanceId', 'runSpecId', 'runSpecVersion', 'healthy'],
  health_status_changed_event: ['appId', 'instanceId', 'version', 'alive'],
  app_terminated_event: ['appId'],
  status_update_event: [
    ...['slaveId', 'taskId', 'taskStatus', 'message', 'appId', 'host', 'ipAddresses', 'ports', 'version'],
  ],
};

function name(event: SeenEvent): string {
  const detail = event['condition'] ?? event['taskStatus'];
  return detail === undefined ? event.eventType : `${event.eventType} ${String(detail)}`;
}

t.test('the events of an app that comes and goes', async (t) => {
  const { api, agent } = await startMaster(t);
  await agent('h1');
  const events = await api.events();
  const other = await api.events('event_type=deployment_success&plan-format=heavy');
  await api.must('POST', '/v2/apps', app);
  const came = await events.upTo('deployment_success');
  await api.must('DELETE', '/v2/apps/web');
  const went = await events.upTo('app_terminated_event');

  const inOrder = (seen: readonly SeenEvent[], wanted: readonly string[]) =>
    t.same(
      seen.map(name).filter((each) => wanted.includes(each)),
      wanted,
    );
  inOrder(came, [
    'group_change_success',
    'instance_changed_event Scheduled',
    'instance_changed_event Provisioned',
    'status_update_event TASK_STARTING',
    'instance_changed_event Starting',
    'status_update_event TASK_RUNNING',
    'instance_changed_event Running',
    'instance_health_changed_event',
    'health_status_changed_event',
    'deployment_success',
  ]);
  t.equal(came.filter((event) => event.eventType === 'api_post_event').length, 1);
  t.equal(came.filter((event) => event.eventType === 'add_health_check_event').length, 1);
  inOrder(went, [
    'remove_health_check_event',
    'deployment_info',
    'deployment_success',
    'app_terminated_event',
  ]);

  for (const event of [...came, ...went]) {
    const known = ['eventType', 'timestamp', ...(fields[event.eventType] ?? [])].sort();
    t.same(Object.keys(event).sort(), known, event.eventType);
    t.match(event['timestamp'], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  }

  await t.test('plans are light, or heavy for who asks', async (t) => {
    const light = came.at(-1)?.['plan'];
    t.same(Object.keys(light as object).sort(), ['id', 'steps', 'version']);
    const heavy = await other.next();
    t.match(heavy, {
      eventType: 'deployment_success',
      plan: { original: { id: '/', apps: [] }, target: { id: '/', apps: [{ id: '/web' }] } },
    });
  });
  events.close();
  other.close();
});

t.test('a stream that says nothing is kept alive', async (t) => {
  const { clock, url } = await startServer(t);
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.write('GET /v2/events?event_type=none HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n');
  const [head] = await once(socket, 'data');
  t.match(String(head), /^HTTP\/1\.1 200 OK\r\n/);
  t.match(String(head), /content-type: text\/event-stream;charset=utf-8\r\n/);
  t.match(String(head), /connection: close\r\n/);
  for (let time = 0; time < 2; time++) {
    const heard = once(socket, 'data');
    await clock.advance(10_000);
    t.match(String(await heard), /^2\r\n\r\n\r\n/, 'an empty line');
  }
});

t.test('a client that reads is not cut off for thousands of events that come at once', async (t) => {
  const { api, events } = await startServer(t);
  const watching = await api.events('event_type=app_terminated_event');
  for (let sent = 0; sent < 5_000; sent++) events.emit({ kind: 'app-terminated', appId: `/a${sent}` });
  for (let heard = 0; heard < 5_000; heard++) {
    const event = await watching.next();
    if (event.appId !== `/a${heard}`) t.fail(`${event.appId} instead of /a${heard}`);
  }
  watching.close();
});

t.test('a client that does not read is cut off, and the others hear of it', async (t) => {
  const { api, events, url } = await startServer(t);
  const { port } = new URL(url);
  const idle = connect(Number(port), '127.0.0.1');
  idle.on('error', () => {});
  idle.write('GET /v2/events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n');
  await once(idle, 'data');
  idle.pause();
  const watching = await api.events('event_type=event_stream_detached');
  const big = testApp('/big', { labels: { text: 'x'.repeat(100_000) } });
  for (let sent = 0; sent <= 1_024; sent++)
    events.emit({ kind: 'app-posted', app: big, clientIp: '127.0.0.1', uri: '/v2/apps' });
  t.match(await watching.next(), { eventType: 'event_stream_detached' });
  watching.close();
  idle.destroy();
});
