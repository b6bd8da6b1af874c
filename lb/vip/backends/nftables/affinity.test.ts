import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { vipAffinityContract } from '../../affinity.contract.ts';
import { table, vip } from '../../backend.contract.ts';
import type { VipTarget } from '../../table.ts';
import {
  backendOf,
  bothOf,
  labOf,
  needsRoot,
  one,
  one6,
  serve,
  serve6,
  two,
} from '../../testing/nftables-lab.ts';
import { parseStays, strayStays } from './affinity.ts';

for (const [who, place, others] of [
  ['a process of the host', 'host', ['a', 'x']],
  ['a container', 'a', ['b', 'r']],
  ['clients of another machine', 'x', ['a', 'host']],
] as const)
  t.test(`nftables lets ${who} stay for a time`, { skip: needsRoot }, async (t) => {
    const lab = await labOf(t, `k${place}`);
    const clients = place === 'x' ? Array.from({ length: 40 }, (_, i) => `100.65.3.${i + 10}`) : [];
    await lab.run('x', 'ip', ['-batch', '-'], clients.map((ip) => `addr add ${ip}/24 dev eth0\n`).join(''));
    await vipAffinityContract(t, async () => ({
      backend: backendOf(lab),
      tcp: [await serve(lab, others[0]), await serve(lab, others[1])],
      udp: [await serve(lab, others[0], 'udp'), await serve(lab, others[1], 'udp')],
      vips: [one, two],
      ports: [80, 81],
      clients,
      ask: (to) => lab.at(place).ask(to),
      pass: (ms) => setTimeout(ms),
      close: async () => {},
    }));
  });

const web = (...backends: readonly VipTarget[]) => ({
  ...vip('tcp', one, 80, backends),
  affinitySeconds: 60,
});

t.test(
  'nftables remembers its clients over a restart, but no backend that left meanwhile',
  { skip: needsRoot },
  async (t) => {
    const lab = await labOf(t, 'kr');
    const [a, b] = [await serve(lab, 'a'), await serve(lab, 'b')];
    const first = backendOf(lab);
    await first.apply(table(web(a)));
    t.match(await lab.at('host').ask(web()), { name: 'a-tcp' });
    await first.stop();
    const second = backendOf(lab);
    await second.apply(table(web(a, { ...b, weight: 99 })));
    for (let i = 0; i < 10; i++) t.match(await lab.at('host').ask(web()), { name: 'a-tcp' });
    await second.stop();
    const third = backendOf(lab);
    await third.apply(table(web(b)));
    t.match(await lab.at('host').ask(web()), { name: 'b-tcp' });
    t.same(await third.audit(), [], 'what clients left is no drift');
  },
);

t.test(
  'nftables with IPv6 lets a client stay by its address, and says so',
  { skip: needsRoot },
  async (t) => {
    const lab = await labOf(t, 'k6');
    const backend = bothOf(lab);
    const backends = [await serve6(lab, 'b'), await serve6(lab, 'x')];
    const service = { ...vip('tcp', one6, 80, backends), affinitySeconds: 60 };
    t.equal(backend.chosenBy(service), 'source-hash');
    t.equal(backend.chosenBy(web()), undefined);
    await backend.apply(table(service));
    const said = await lab.at('a').ask(service);
    t.equal(said.kind, 'answer');
    for (let i = 0; i < 10; i++)
      t.match(await lab.at('a').ask(service), { name: said.kind === 'answer' ? said.name : '' });
  },
);

t.test('clients that lead where their service has no backend are told from the others', async (t) => {
  const listed = `table ip weir {
	map tcp-affinity {
		typeof ip saddr . ip daddr . tcp dport : ip daddr . tcp dport
		size 65536
		flags dynamic,timeout
		elements = { 10.0.0.9 . ${one} . 80 timeout 1m expires 59s96ms : 10.0.0.1 . 8080,
			     10.0.0.8 . ${one} . 80 expires 3s : 10.0.0.2 . 8080,
			     10.0.0.7 . ${two} . 80 timeout 1m expires 1s : 10.0.0.1 . 8080 }
	}
}`;
  const stays = parseStays(listed);
  t.equal(stays.length, 3);
  const service = web({ instanceId: 'i1', address: '10.0.0.1', port: 8080 });
  const keys = (among?: ReadonlySet<string>) => strayStays(stays, [service], among).map(({ key }) => key);
  t.same(keys(), [`10.0.0.8 . ${one} . 80`, `10.0.0.7 . ${two} . 80`]);
  t.same(keys(new Set([`${one} . 80`])), [`10.0.0.8 . ${one} . 80`]);
});
