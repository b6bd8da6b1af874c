import t from 'tap';
import { FakeClock } from '../../../../core/kit/fake-clock.ts';
import { silentLog } from '../../../../core/kit/log.ts';
import { vipAffinityContract } from '../../affinity.contract.ts';
import { Actor } from '../../testing/actor.ts';
import { UserspaceVips } from './userspace.ts';

t.test('userspace lets clients stay for a time', async (t) => {
  const [actor, clock] = [new Actor(), new FakeClock()];
  const backend = new UserspaceVips({ clock, log: silentLog, random: Math.random });
  const serve = async (instanceId: string, protocol: 'tcp' | 'udp') => ({
    instanceId,
    address: '127.0.0.1',
    port: await actor.listen(instanceId, protocol, '127.0.0.1', 0),
  });
  await vipAffinityContract(t, async () => ({
    backend,
    tcp: [await serve('one', 'tcp'), await serve('two', 'tcp')],
    udp: [await serve('three', 'udp'), await serve('four', 'udp')],
    vips: ['127.94.6.1', '127.94.6.2'],
    ports: [await actor.listen('free', 'tcp', '127.94.6.2', 0), 1],
    clients: Array.from({ length: 40 }, (_, i) => `127.94.7.${i + 1}`),
    ask: (to) => actor.ask(to),
    pass: async (ms) => clock.advance(ms),
    close: async () => {
      await backend.stop();
      await actor.close();
    },
  }));
});
