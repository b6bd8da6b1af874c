import t from 'tap';
import { vipBackendContract } from '../backend.contract.ts';
import type { VipTarget } from '../table.ts';
import type { Ask, Reply } from '../testing/actor.ts';
import { FakeVipBackend } from './fake.ts';

const target = (instanceId: string, address: string, port: number): VipTarget => ({
  instanceId,
  address,
  port,
});

t.test('fake', async (t) => {
  const backend = new FakeVipBackend();
  const held = new Map<string, VipTarget>();
  const flows = new Map<string, VipTarget>();
  const connect = (to: Ask): Reply => {
    const found = backend.connect(to);
    if (found === undefined) return { kind: 'refused', detail: '' };
    backend.hangUp(to.protocol, found);
    return { kind: 'answer', name: found.instanceId, peer: '', self: '' };
  };
  await vipBackendContract(t, async () => ({
    backend,
    tcp: [target('one', '10.0.0.1', 80), target('two', '10.0.0.2', 80)],
    udp: [target('three', '10.0.0.1', 53), target('four', '10.0.0.2', 53)],
    ports: [80, 81],
    vips: ['100.64.0.1', '100.64.0.2'],
    ask: async (to) => connect(to),
    askFrom: async (key, to) => {
      const present = backend.table.services.get(`udp:${to.address}:${to.port}`)?.backends ?? [];
      const kept = flows.get(key);
      if (kept !== undefined && present.includes(kept))
        return { kind: 'answer', name: kept.instanceId, peer: '', self: '' };
      const reply = connect(to);
      const chosen = present.find((other) => reply.kind === 'answer' && other.instanceId === reply.name);
      if (chosen !== undefined) flows.set(key, chosen);
      return reply;
    },
    hold: async (key, to) => {
      const found = backend.connect(to);
      if (found === undefined) return { kind: 'refused', detail: '' };
      held.set(key, found);
      return { kind: 'answer', name: found.instanceId, peer: '', self: '' };
    },
    say: async (key, text) => (held.has(key) ? text : undefined),
    drop: async (key) => backend.hangUp('tcp', held.get(key)!),
    close: () => backend.stop({ remove: true }),
  }));
});
