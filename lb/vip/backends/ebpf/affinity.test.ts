import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { vipAffinityContract } from '../../affinity.contract.ts';
import { table, vip } from '../../backend.contract.ts';
import type { VipTarget } from '../../table.ts';
import { ebpfLab, ebpfOf, needsBpf } from '../../testing/ebpf-lab.ts';
import { one, serve, two } from '../../testing/nftables-lab.ts';

for (const [who, place, others] of [
  ['a process of the host', 'host', ['a', 'x']],
  ['a container', 'a', ['b', 'r']],
] as const)
  t.test(`ebpf lets ${who} stay for a time`, { skip: needsBpf }, async (t) => {
    const { lab, backend } = await ebpfLab(t, `k${place}`);
    await vipAffinityContract(t, async () => ({
      backend,
      tcp: [await serve(lab, others[0]), await serve(lab, others[1])],
      udp: [await serve(lab, others[0], 'udp'), await serve(lab, others[1], 'udp')],
      vips: [one, two],
      ports: [80, 81],
      ask: (to) => lab.at(place).ask(to),
      pass: (ms) => setTimeout(ms),
      close: async () => {},
    }));
  });

t.test(
  'ebpf tells clients apart by their container, and remembers them over a restart',
  { skip: needsBpf },
  async (t) => {
    const { lab, backend, group } = await ebpfLab(t, 'kn');
    const [b, r] = [await serve(lab, 'b', 'udp'), await serve(lab, 'r', 'udp')];
    const dns = (...backends: readonly VipTarget[]) => ({
      ...vip('udp', one, 53, backends),
      affinitySeconds: 60,
    });
    await backend.start();
    await backend.apply(table(dns(b)));
    t.match(await lab.at('a').sendFrom('one', dns()), { name: 'b-udp' });
    await backend.apply(table(dns(b, { ...r, weight: 99 })));
    for (let i = 0; i < 5; i++)
      t.match(await lab.at('a').sendFrom(`socket ${i}`, dns()), { name: 'b-udp' }, 'from any socket');
    const others = new Set<string>();
    for (const place of ['host', 'b', 'r'] as const) {
      const reply = await lab.at(place).sendFrom('one', dns());
      others.add(reply.kind === 'answer' ? reply.name : reply.kind);
    }
    t.ok(others.has('r-udp'), 'others have places of their own');
    await backend.stop();
    const again = ebpfOf(lab, group);
    t.teardown(() => again.stop({ remove: true }));
    await again.start();
    await again.apply(table(dns(b, { ...r, weight: 99 })));
    t.match(await lab.at('a').sendFrom('after', dns()), { name: 'b-udp' });
    t.same(await again.audit(), []);
  },
);
