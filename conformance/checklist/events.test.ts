import t from 'tap';
import { request } from 'undici';
import { healthCheck, script } from '../product/definitions.ts';
import { type Event, openEvents } from '../product/event-stream.ts';
import { openHost } from '../product/host.ts';
import { startProduct } from '../product/product.ts';
import { eventFields, everyEvent } from './event-fields.ts';
import { big, sleeper } from './sleeper.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

t.test(
  'checklist 19: events, each with its fields; filters, a pulse, and no patience with the slow',
  { skip },
  async (t) => {
    const host = await openHost(t, 'clevents');
    const { api } = await startProduct(host);
    const all = await openEvents(host, t);
    const some = await openEvents(host, t, '?event_type=deployment_success&event_type=app_terminated_event');
    const heavy = await openEvents(host, t, '?event_type=deployment_info&plan-format=heavy');
    const seen: Event[] = [];

    await t.test('each kind has what it is to have', async (t) => {
      await api.must('POST', '/v2/apps', {
        ...script('/sick', [], { container: { type: 'MESOS', portMappings: [{ containerPort: 9_000 }] } }),
        healthChecks: [
          { ...healthCheck, protocol: 'HTTP', gracePeriodSeconds: 0, maxConsecutiveFailures: 1 },
        ],
      });
      await api.deploy(sleeper('/one'));
      await api.must('POST', '/v2/apps', big('/never'));
      const [stuck] = await api.must<{ id: string; affectedApps: string[] }[]>('GET', '/v2/deployments');
      await api.must('DELETE', '/v2/apps/never?force=true');
      await api.until('/sick', (app) => app.lastTaskFailure !== undefined);
      await api.must('DELETE', '/v2/apps/sick');
      await api.remove('/one');
      await api.eventually('/v2/deployments', (running: readonly unknown[]) => running.length === 0);
      await api.must('POST', '/v2/apps', sleeper('/last'));
      for (;;) {
        const { value } = await all.next();
        if (value === undefined) break;
        seen.push(value);
        if (value.eventType === 'deployment_success' && JSON.stringify(value).includes('/last')) break;
      }
      t.type(stuck?.id, 'string');
      for (const event of seen) {
        const fields = eventFields[event.eventType];
        t.ok(fields, `${event.eventType} is one of Marathon's`);
        t.match(event, { ...everyEvent, ...fields }, event.eventType);
      }
      const kinds = new Set(seen.map(({ eventType }) => eventType));
      for (const kind of [
        'api_post_event',
        'app_terminated_event',
        'add_health_check_event',
        'remove_health_check_event',
        'failed_health_check_event',
        'health_status_changed_event',
        'instance_health_changed_event',
        'unhealthy_instance_kill_event',
        'deployment_failed',
      ])
        t.ok(kinds.has(kind), `${kind} was seen`);
      t.match(await heavy.next(), { value: { plan: { original: { id: '/' }, target: { id: '/' } } } });
      const light = seen.find(({ eventType }) => eventType === 'deployment_info')?.['plan'] ?? {};
      t.notOk('original' in Object(light), 'plans are light unless asked for');
    });

    await t.test('only what is asked for', async (t) => {
      const filtered = [(await some.next()).value?.eventType, (await some.next()).value?.eventType];
      t.ok(
        filtered.every((kind) => kind === 'deployment_success' || kind === 'app_terminated_event'),
        filtered.join(),
      );
    });

    await t.test('an empty line about every ten seconds', async (t) => {
      const { body } = await request('http://127.0.0.1:8080/v2/events?event_type=nothing', {
        dispatcher: host.tunnel.single,
        headers: { accept: 'text/event-stream', 'accept-encoding': 'gzip' },
      });
      const [first] = await body.take(1).toArray();
      body.destroy();
      t.match(String(first), /^\r?\n$/, 'never compressed');
    });

    await t.test('who does not read is cut off', async (t) => {
      const gone = await openEvents(host, t, '?event_type=event_stream_detached');
      const socket = await host.tunnel.connect('127.0.0.1', 8_080);
      socket.write(
        'GET /v2/events?plan-format=heavy HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n',
      );
      socket.pause();
      const text = 'x'.repeat(60_000);
      const said = gone.next();
      let isOver = false;
      void said.then(() => {
        isOver = true;
      });
      for (let n = 0; n < 600 && !isOver; n++)
        await api.must('PUT', '/v2/apps/last?force=true', { instances: 0, labels: { text: `${n}${text}` } });
      t.match(await said, { value: { eventType: 'event_stream_detached' } });
      socket.destroy();
    });
  },
);
