import t from 'tap';
import { vipBackendContract } from '../../backend.contract.ts';
import { ebpfLab, needsBpf } from '../../testing/ebpf-lab.ts';
import { one, one6, serve, serve6, two, two6 } from '../../testing/nftables-lab.ts';

t.test('ebpf, for a process of the host', { skip: needsBpf }, async (t) => {
  const { lab, backend } = await ebpfLab(t, 'eh');
  await vipBackendContract(t, async () => ({
    backend,
    tcp: [await serve(lab, 'a'), await serve(lab, 'x')],
    udp: [await serve(lab, 'a', 'udp'), await serve(lab, 'x', 'udp')],
    vips: [one, two],
    ports: [80, 81],
    ...lab.at('host'),
    close: async () => {},
  }));
});

t.test('ebpf, for a container', { skip: needsBpf }, async (t) => {
  const { lab, backend } = await ebpfLab(t, 'ec');
  await vipBackendContract(t, async () => ({
    backend,
    tcp: [await serve(lab, 'b'), await serve(lab, 'x')],
    udp: [await serve(lab, 'b', 'udp'), await serve(lab, 'r', 'udp')],
    vips: [one, two],
    ports: [80, 81],
    ...lab.at('a'),
    close: async () => {},
  }));
});

for (const [who, place, others] of [
  ['a process of the host', 'host', ['a', 'x']],
  ['a container', 'a', ['b', 'r']],
] as const)
  t.test(`ebpf with IPv6, for ${who}`, { skip: needsBpf }, async (t) => {
    const { lab, backend } = await ebpfLab(t, `s${place}`);
    await vipBackendContract(t, async () => ({
      backend,
      tcp: [await serve6(lab, others[0]), await serve6(lab, others[1])],
      udp: [await serve6(lab, others[0], 'udp'), await serve6(lab, others[1], 'udp')],
      vips: [one6, two6],
      ports: [80, 81],
      ...lab.at(place),
      close: async () => {},
    }));
  });
