import t from 'tap';
import { systemClock } from '../../../../core/kit/clock.ts';
import { silentLog } from '../../../../core/kit/log.ts';
import { table, vip } from '../../backend.contract.ts';
import { addresses, type Lab } from '../../testing/lab.ts';
import { labOf, needsRoot, one, ranges, serve } from '../../testing/nftables-lab.ts';
import { type NftablesDependencies, NftablesVips } from './nftables.ts';

function watched(lab: Lab, more: Pick<NftablesDependencies, 'reaches'> = {}): NftablesVips {
  return new NftablesVips(
    {
      log: silentLog,
      clock: systemClock,
      exec: lab.host,
      spawn: (file, args) => lab.spawn('host', file, args),
      ...more,
    },
    { ranges },
  );
}

/** A machine that takes packets and says nothing. */
const drop = 'table ip weirdrop { chain input { type filter hook input priority 0; policy drop; }; }';

t.test(
  'nftables leaves a backend alone within a second after it refused, and takes it back',
  { skip: needsRoot },
  async (t) => {
    const lab = await labOf(t, 'w');
    const backend = watched(lab);
    t.teardown(() => backend.stop());
    const service = vip('tcp', one, 80, [await serve(lab, 'a'), await serve(lab, 'x')]);
    await backend.apply(table(service));
    await lab.at('a').unlisten('a-tcp');
    const client = lab.at('host');
    while ((await client.ask(service)).kind === 'answer');
    const refused = Date.now();
    while (!backend.ejected().has(`tcp:${addresses.a}:7001`)) await client.ask(service);
    t.ok(Date.now() - refused < 1_000, `${Date.now() - refused} ms`);
    await serve(lab, 'a');
    const ended = Date.now() + 15_000;
    const seen = new Set<string>();
    while (!seen.has('a-tcp') && Date.now() < ended) {
      const reply = await client.ask(service);
      seen.add(reply.kind === 'answer' ? reply.name : reply.kind);
    }
    t.ok(seen.has('a-tcp'), 'it is tried again');
  },
);

t.test('nftables leaves a backend alone that does not answer at all', { skip: needsRoot }, async (t) => {
  const lab = await labOf(t, 'n');
  const backend = watched(lab);
  t.teardown(() => backend.stop());
  const [x, r] = [await serve(lab, 'x'), await serve(lab, 'r')];
  const service = vip('tcp', one, 80, [x, r]);
  await backend.apply(table(service));
  await lab.run('x', 'ip', ['link', 'set', 'eth0', 'down']);
  const ended = Date.now() + 15_000;
  while (!backend.ejected().has(`tcp:${addresses.x}:7001`) && Date.now() < ended)
    await lab.at('a').ask(service);
  t.same([...backend.ejected()], [`tcp:${addresses.x}:7001`]);
  t.same((await lab.at('a').load(service, 20)).failed, []);
});

t.test(
  'nftables asks who was left alone before clients do, and gives it back once it answers',
  { skip: needsRoot },
  async (t) => {
    const lab = await labOf(t, 'q');
    let asked = 0;
    const direct = (target: { address: string; port: number }) => ({ ...vip('tcp', one, 80, []), ...target });
    const backend = watched(lab, {
      async reaches(target) {
        asked++;
        return (await lab.at('host').ask(direct(target))).kind === 'answer';
      },
    });
    t.teardown(() => backend.stop());
    const service = vip('tcp', one, 80, [await serve(lab, 'a'), await serve(lab, 'x')]);
    await backend.apply(table(service));
    await lab.at('a').unlisten('a-tcp');
    const client = lab.at('host');
    const isAlone = () => backend.ejected().has(`tcp:${addresses.a}:7001`);
    while (!isAlone()) await client.ask(service);
    const failed: string[] = [];
    while (asked < 3) {
      const reply = await client.ask(service);
      if (reply.kind !== 'answer' && isAlone()) failed.push(reply.kind);
    }
    t.same(failed, [], 'no client finds out what the machine itself can');
    await serve(lab, 'a');
    const ended = Date.now() + 15_000;
    while (isAlone() && Date.now() < ended) await client.ask(service);
    t.notOk(isAlone());
  },
);

t.test(
  'nftables holds nothing against a backend that refused before it was one',
  { skip: needsRoot },
  async (t) => {
    const lab = await labOf(t, 'e');
    const backend = watched(lab);
    t.teardown(() => backend.stop());
    const [x, r, b] = [await serve(lab, 'x'), await serve(lab, 'r'), await serve(lab, 'b')];
    await backend.apply(table(vip('tcp', one, 80, [r, b])));
    await lab.at('x').unlisten('x-tcp');
    await lab.at('a').ask({ ...vip('tcp', one, 80, []), address: addresses.x, port: 7001 });
    await serve(lab, 'x');
    const service = vip('tcp', one, 80, [x, r, b]);
    await backend.apply(table(service));
    await lab.at('r').unlisten('r-tcp');
    const ever = new Set<string>();
    const ended = Date.now() + 15_000;
    while (!ever.has(`tcp:${addresses.r}:7001`) && Date.now() < ended) {
      await lab.at('a').ask(service);
      for (const one of backend.ejected()) ever.add(one);
    }
    t.same([...ever], [`tcp:${addresses.r}:7001`]);
  },
);

t.test(
  'nftables holds nothing against another instance at the place of one that was left alone',
  { skip: needsRoot },
  async (t) => {
    const lab = await labOf(t, 'h');
    const backend = watched(lab);
    t.teardown(() => backend.stop());
    const [x, b] = [await serve(lab, 'x'), await serve(lab, 'b')];
    await backend.apply(table(vip('tcp', one, 80, [x, b])));
    await lab.run('x', 'nft', ['-f', '-'], drop);
    const at = `tcp:${addresses.x}:7001`;
    while (!backend.ejected().has(at)) await lab.at('a').ask(vip('tcp', one, 80, []));
    await lab.run('x', 'nft', ['delete', 'table', 'ip', 'weirdrop']);
    const next = vip('tcp', one, 80, [{ ...x, instanceId: 'next' }, b]);
    await backend.apply(table(next));
    t.same([...backend.ejected()], [], 'it would have waited for ten seconds');
    const seen = new Set<string>();
    for (let n = 0; n < 40; n++) {
      const reply = await lab.at('a').ask(next);
      seen.add(reply.kind === 'answer' ? reply.name : reply.kind);
    }
    t.same([...seen].sort(), ['b-tcp', 'x-tcp']);
  },
);

t.test(
  'nftables sees connections to the own address of a backend fail, and of nobody else',
  { skip: needsRoot },
  async (t) => {
    const lab = await labOf(t, 'o');
    const backend = watched(lab);
    t.teardown(() => backend.stop());
    const [x, r, b] = [await serve(lab, 'x'), await serve(lab, 'r'), await serve(lab, 'b')];
    await backend.apply(table(vip('tcp', one, 80, [x, r, b])));
    const direct = (address: string, port: number) => ({ ...vip('tcp', one, 80, []), address, port });
    await lab.at('x').unlisten('x-tcp');
    const ended = Date.now() + 15_000;
    while (!backend.ejected().has(`tcp:${addresses.x}:7001`) && Date.now() < ended) {
      await lab.at('a').ask(direct(addresses.x, 7001));
      await lab.at('a').ask(direct(addresses.x, 7777));
    }
    t.same([...backend.ejected()], [`tcp:${addresses.x}:7001`], 'refused');
    await lab.run('r', 'ip', ['link', 'set', 'eth0', 'down']);
    while (!backend.ejected().has(`tcp:${addresses.r}:7001`) && Date.now() < ended)
      await lab.at('a').ask(direct(addresses.r, 7001));
    t.ok(backend.ejected().has(`tcp:${addresses.r}:7001`), 'not reached');
    await lab.run('b', 'nft', ['-f', '-'], drop);
    while (!backend.ejected().has(`tcp:${addresses.b}:7001`) && Date.now() < ended)
      await lab.at('host').ask(direct(addresses.b, 7001));
    t.ok(backend.ejected().has(`tcp:${addresses.b}:7001`), 'not answered');
  },
);

t.test(
  'nftables sees a backend not answer whose clients give up before they ask twice, and none that answered',
  { skip: needsRoot },
  async (t) => {
    const lab = await labOf(t, 'u');
    const backend = watched(lab);
    t.teardown(() => backend.stop());
    const [x, r] = [await serve(lab, 'x'), await serve(lab, 'r')];
    await backend.apply(table(vip('tcp', one, 80, [x, r])));
    const briefly = (address: string) =>
      lab.run('a', 'sh', ['-c', `timeout 0.3 bash -c ': > /dev/tcp/${address}/7001' || true`]);
    await lab.run('x', 'nft', ['-f', '-'], drop);
    await briefly(addresses.x);
    const ended = Date.now() + 15_000;
    while (!backend.ejected().has(`tcp:${addresses.x}:7001`) && Date.now() < ended)
      await briefly(addresses.r);
    t.same([...backend.ejected()], [`tcp:${addresses.x}:7001`]);
  },
);
