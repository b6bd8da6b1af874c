import type { Test } from 'tap';
import { table, type VipBench, vip } from './backend.contract.ts';
import type { VipService, VipTarget } from './table.ts';
import type { Reply } from './testing/actor.ts';

export type AffinityBench = Pick<VipBench, 'backend' | 'tcp' | 'udp' | 'vips' | 'ports' | 'ask' | 'close'> & {
  /** Lets time pass that the data plane counts by. */
  pass(ms: number): Promise<void>;
  /** Addresses of further clients, where the data plane tells clients apart by them. */
  readonly clients?: readonly string[];
};

/** What a VipBackend does that lets clients stay for a time. */
export async function vipAffinityContract(t: Test, create: () => Promise<AffinityBench>): Promise<void> {
  const bench = await create();
  const { backend, tcp, udp, vips, ports, clients = [] } = bench;
  t.teardown(() => bench.close());
  const of =
    (protocol: 'tcp' | 'udp', affinitySeconds?: number) =>
    (...backends: readonly VipTarget[]): VipService => ({
      ...vip(protocol, vips[0], ports[0], backends),
      ...(affinitySeconds === undefined ? {} : { affinitySeconds }),
    });
  const [web, dns] = [of('tcp', 60), of('udp', 60)];
  const answered = async (to: VipService, times = 1): Promise<readonly string[]> => {
    const names = new Set<string>();
    for (let i = 0; i < times; i++) names.add(nameOf(await bench.ask(to)));
    return [...names];
  };
  const [one, other] = tcp;
  const heavy = { ...other, weight: 99 };
  await backend.start();

  await t.test('a client stays with its backend, whoever else comes and goes', async (t) => {
    await backend.apply(table(web(one)));
    t.same(await answered(web()), [one.instanceId]);
    await backend.apply(table(web(one, heavy)));
    t.same(await answered(web(), 20), [one.instanceId]);
    await backend.apply(table(web(heavy, one)));
    t.same(await answered(web(), 5), [one.instanceId]);
  });

  await t.test('a client moves when its backend goes, and does not follow it back', async (t) => {
    await backend.apply(table(web(other)));
    t.same(await answered(web(), 5), [other.instanceId]);
    await backend.apply(table(web({ ...one, weight: 99 }, other)));
    t.same(await answered(web(), 20), [other.instanceId]);
  });

  await t.test('a client that was sent away with nobody left begins anew', async (t) => {
    await backend.apply(table(web()));
    t.equal((await bench.ask(web())).kind, 'refused');
    await backend.apply(table(web(one)));
    t.same(await answered(web()), [one.instanceId]);
    await backend.apply(table());
    await backend.apply(table(web(other)));
    t.same(await answered(web()), [other.instanceId]);
  });

  await t.test('a client of UDP stays too, from port to port', async (t) => {
    await backend.apply(table(dns(udp[0])));
    t.same(await answered(dns()), [udp[0].instanceId]);
    await backend.apply(table(dns(udp[0], { ...udp[1], weight: 99 })));
    t.same(await answered(dns(), 10), [udp[0].instanceId]);
    await backend.apply(table(dns(udp[1])));
    t.same(await answered(dns()), [udp[1].instanceId]);
  });

  await t.test('a client that made no connection for the time is led like a new one', async (t) => {
    const brief = of('tcp', 3);
    await backend.apply(table(brief(one)));
    t.same(await answered(brief()), [one.instanceId]);
    await backend.apply(table(brief(one, heavy)));
    for (let turn = 0; turn < 3; turn++) {
      await bench.pass(1_100);
      t.same(await answered(brief()), [one.instanceId], 'each connection begins its time anew');
    }
    let said: readonly string[] = [];
    for (let turn = 0; turn < 3 && said[0] !== other.instanceId; turn++) {
      await bench.pass(3_300);
      said = await answered(brief());
    }
    t.same(said, [other.instanceId]);
  });

  await t.test(
    'clients spread over the backends, each with its own',
    { skip: clients.length === 0 && 'tells clients apart by more than their address' },
    async (t) => {
      await backend.apply(table(web(...tcp)));
      const first = new Map<string, string>();
      for (const from of clients) first.set(from, nameOf(await bench.ask({ ...web(), from })));
      for (const from of clients) t.equal(nameOf(await bench.ask({ ...web(), from })), first.get(from));
      const shares = Map.groupBy(first.values(), (name) => name);
      for (const { instanceId } of tcp)
        t.ok((shares.get(instanceId)?.length ?? 0) >= clients.length / 10, `${instanceId} has a share`);
    },
  );

  await t.test('without affinity nobody is remembered any more', async (t) => {
    await backend.apply(table(web(one)));
    t.same(await answered(web()), [one.instanceId]);
    const free = of('tcp');
    await backend.apply(table(free(one, heavy)));
    t.ok((await answered(free(), 10)).includes(other.instanceId));
  });
}

function nameOf(reply: Reply): string {
  return reply.kind === 'answer' ? reply.name : reply.kind;
}
