import type { Test } from 'tap';
import type { VipBackend } from './backend.ts';
import { serviceKey, targetKey, type VipService, type VipTable, type VipTarget } from './table.ts';
import type { Ask, Reply } from './testing/actor.ts';

/** A place where a backend can be tried: two servers that say their name, one client. */
export type VipBench = {
  readonly backend: VipBackend;
  /** Two targets that serve TCP and two that serve UDP; `instanceId` is the name each answers with. */
  readonly tcp: readonly [VipTarget, VipTarget];
  readonly udp: readonly [VipTarget, VipTarget];
  /** Two addresses of the VIP range. */
  readonly vips: readonly [string, string];
  /** Two ports on which nothing of this machine listens, on any address. */
  readonly ports: readonly [number, number];
  ask(to: Ask): Promise<Reply>;
  /** UDP from a client port that stays the same for a key. */
  askFrom(key: string, to: Ask): Promise<Reply>;
  hold(key: string, to: Ask): Promise<Reply>;
  say(key: string, text: string): Promise<string | undefined>;
  drop(key: string): Promise<void>;
  close(): Promise<void>;
};

/** What every VipBackend does. */
export async function vipBackendContract(t: Test, create: () => Promise<VipBench>): Promise<void> {
  const bench = await create();
  const { backend, tcp, udp, vips, ports } = bench;
  t.teardown(() => bench.close());
  const web = (backends: readonly VipTarget[]): VipService => vip('tcp', vips[0], ports[0], backends);
  const dns = (backends: readonly VipTarget[]): VipService => vip('udp', vips[0], ports[0], backends);
  const nameOf = (reply: Reply): string => (reply.kind === 'answer' ? reply.name : reply.kind);
  /** The kernel holds back ICMP errors to an address that was sent many, redirects counted with them. */
  const refusal = async (ask: () => Promise<Reply>): Promise<string> => {
    for (let turn = 0; turn < 3; turn++) {
      const said = nameOf(await ask());
      if (said !== 'timeout') return said;
    }
    return 'timeout';
  };
  await backend.start();

  await t.test('a VIP spreads connections over its backends', async (t) => {
    t.same(await backend.apply(table(web(tcp))), []);
    const names = new Set<string>();
    for (let i = 0; i < 40; i++) names.add(nameOf(await bench.ask(web([]))));
    t.same([...names].sort(), [tcp[0].instanceId, tcp[1].instanceId].sort());
  });

  await t.test('a VIP counts the connections it took', async (t) => {
    const counted = await backend.counters();
    t.equal(counted.get(serviceKey(web([])))?.connections, 40);
  });

  await t.test('a port that no VIP has, and an address that no VIP has, refuse at once', async (t) => {
    t.equal(nameOf(await bench.ask({ ...web([]), port: ports[1] })), 'refused');
    t.equal(nameOf(await bench.ask({ ...web([]), address: vips[1] })), 'refused');
    t.equal(await refusal(() => bench.ask(dns([]))), 'refused');
  });

  await t.test('a VIP without backends refuses at once, and serves again with the first', async (t) => {
    await backend.apply(table(web([]), dns([])));
    t.equal(nameOf(await bench.ask(web([]))), 'refused');
    t.equal(await refusal(() => bench.ask(dns([]))), 'refused');
    await backend.apply(table(web([tcp[1]]), dns([udp[0]])));
    t.equal(nameOf(await bench.ask(web([]))), tcp[1].instanceId);
    t.equal(nameOf(await bench.ask(dns([]))), udp[0].instanceId);
  });

  await t.test('a backend that leaves keeps its open connections and gets no new ones', async (t) => {
    await backend.apply(table(web([tcp[0]])));
    t.equal(nameOf(await bench.hold('kept', web([]))), tcp[0].instanceId);
    await backend.apply(table(web([tcp[1]])));
    const left = new Set([targetKey('tcp', tcp[0])]);
    t.same([...(await backend.connections(left))], [[targetKey('tcp', tcp[0]), 1]]);
    t.equal(nameOf(await bench.ask(web([]))), tcp[1].instanceId);
    t.equal(await bench.say('kept', 'still here'), 'still here');
    await backend.apply(table());
    t.equal(await bench.say('kept', 'and now'), 'and now');
    await bench.drop('kept');
    await eventually(async () => (await backend.connections(left)).size === 0);
    t.equal((await backend.connections(new Set())).size, 0);
  });

  await t.test('a UDP flow stays with its backend and moves in the change that removes it', async (t) => {
    await backend.apply(table(dns(udp)));
    const stays = nameOf(await bench.askFrom('flow', dns([])));
    for (let i = 0; i < 5; i++) t.equal(nameOf(await bench.askFrom('flow', dns([]))), stays);
    const [other] = udp.filter((target) => target.instanceId !== stays);
    await backend.apply(table(dns([other!])));
    t.equal(nameOf(await bench.askFrom('flow', dns([]))), other!.instanceId);
    await backend.apply(table(dns([])));
    t.equal(await refusal(() => bench.askFrom('flow', dns([]))), 'refused');
    await backend.apply(table(dns([udp[0]])));
    t.equal(nameOf(await bench.askFrom('flow', dns([]))), udp[0].instanceId);
  });

  await t.test('a table may be applied again, and again after a change back', async (t) => {
    for (const backends of [tcp, tcp, [tcp[0]], tcp]) t.same(await backend.apply(table(web(backends))), []);
    t.equal((await bench.ask(web([]))).kind, 'answer');
  });

  await t.test('a stopped backend can be removed whole, twice, and started again', async (t) => {
    await backend.stop({ remove: true });
    await backend.stop({ remove: true });
    t.not((await bench.ask(web([]))).kind, 'answer');
    await backend.start();
    await backend.apply(table(web(tcp)));
    t.equal((await bench.ask(web([]))).kind, 'answer');
    await backend.stop({ remove: true });
  });
}

export function vip(
  protocol: 'tcp' | 'udp',
  address: string,
  port: number,
  backends: readonly VipTarget[],
): VipService {
  return { protocol, address, port, backends };
}

export function table(...services: readonly VipService[]): VipTable {
  return { services: new Map(services.map((service) => [serviceKey(service), service])), problems: [] };
}

/** Asks until it holds; bounded by the number of questions, each of which is a round trip. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) if (await holds()) return;
  throw new Error('It did not come true within 200 questions');
}
