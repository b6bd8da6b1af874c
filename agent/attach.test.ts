import t from 'tap';
import { FakeClock } from '../core/kit/fake-clock.ts';
import type { App } from '../core/model/app.ts';
import { type Attacher, attachAll, attachmentId, detachAll } from './attach.ts';
import { assignmentOf } from './testing/assignments.ts';
import { FakeHost } from './testing/fake-host.ts';

const netns = '/netns/n';
const mapping = { servicePort: 0, labels: {}, protocol: 'tcp' } as const;

t.test('attachAll joins the networks in order and gives their addresses', async (t) => {
  const host = hosted();
  const addresses = await attachAll(host, assignmentOf('a'), { netns });
  t.same(addresses, [
    { network: 'blue', ip: '100.64.0.1' },
    { network: 'green', ip: '100.64.0.2' },
  ]);
  t.same(
    [...host.attachments.values()].map(({ ifName }) => ifName),
    ['eth0', 'eth1'],
  );
});

t.test('attachAll maps each host port once, on the network that carries it', async (t) => {
  const host = hosted();
  const portMappings = [
    { ...mapping, containerPort: 80, networkNames: [] },
    { ...mapping, containerPort: 81, networkNames: ['green'], protocol: 'udp,tcp' as const },
    { ...mapping, containerPort: 82, networkNames: ['green', 'blue'] },
    { ...mapping, containerPort: 83, networkNames: [] },
  ];
  const container: NonNullable<App['container']> = { type: 'MESOS', volumes: [], portMappings };
  const hostPorts = [31_000, 31_001, 31_002, null];
  const placed = assignmentOf('a', { app: { container }, hostPorts, containerPorts: [80, 81, 82, 83] });
  await attachAll(host, placed, { netns });
  const [blue, green] = [...host.attachments.values()].map((one) => one.portMappings);
  t.same(blue, [{ hostPort: 31_000, containerPort: 80, protocol: 'tcp' }]);
  t.same(green, [
    { hostPort: 31_001, containerPort: 81, protocol: 'udp' },
    { hostPort: 31_001, containerPort: 81, protocol: 'tcp' },
    { hostPort: 31_002, containerPort: 82, protocol: 'tcp' },
  ]);
});

t.test('attachAll joins no further network once the instance is not wanted', async (t) => {
  const host = hosted();
  const unwanted = new AbortController();
  const attacher: Attacher = {
    async attach(request, signal) {
      t.equal(signal, unwanted.signal, 'who waits for a network can be told, too');
      unwanted.abort(new Error('stopped'));
      return host.attach(request);
    },
    detach: (request) => host.detach(request),
  };
  await t.rejects(attachAll(attacher, assignmentOf('a'), { netns, signal: unwanted.signal }), {
    message: 'stopped',
  });
  t.equal(host.attachments.size, 1);
});

t.test('detachAll undoes them in reverse, also those that never were', async (t) => {
  const host = hosted();
  await attachAll(host, assignmentOf('a'), { netns });
  await attachAll(host, assignmentOf('b'), { netns });
  const order: unknown[] = [];
  host.before = (_what, request) => order.push(request?.network);
  await detachAll(host, assignmentOf('a'), '');
  await detachAll(host, assignmentOf('c'), netns);
  t.same(order, ['green', 'blue', 'green', 'blue']);
  t.same(
    [...host.attachments.values()].map(({ instanceId }) => instanceId),
    ['web.instance-b.1', 'web.instance-b.1'],
  );
});

t.test('attempts of one instance have attachments of their own', async (t) => {
  t.not(attachmentId(assignmentOf('a')), attachmentId(assignmentOf('a', { attempt: 2 })));
});

function hosted(): FakeHost {
  const host = new FakeHost({ clock: new FakeClock() });
  host.namespaces.add(netns);
  return host;
}
