import t from 'tap';
import { table, vip } from '../../backend.contract.ts';
import type { VipTarget } from '../../table.ts';
import { backendOf, labOf, literal, needsRoot, one, serve, two } from '../../testing/nftables-lab.ts';

t.test('nftables changes backends under load and loses no connection', { skip: needsRoot }, async (t) => {
  const lab = await labOf(t, 'u');
  const backend = backendOf(lab);
  const [a, b, x] = [await serve(lab, 'a'), await serve(lab, 'b'), await serve(lab, 'x')];
  const service = (...backends: VipTarget[]) => vip('tcp', one, 80, backends);
  await backend.apply(table(service(a)));
  let changing = true;
  const loads = (['host', 'r', 'a'] as const).map(async (from) => {
    const failed: string[] = [];
    while (changing) failed.push(...(await lab.at(from).load(service(), 50)).failed);
    return failed;
  });
  const shapes = [[b], [a, b, x], [x], [b, x], [a], [a, x]];
  for (let i = 0; i < 24; i++) await backend.apply(table(service(...shapes[i % shapes.length]!)));
  changing = false;
  t.same((await Promise.all(loads)).flat(), []);
});

t.test('nftables takes over what a crash left, without a gap', { skip: needsRoot }, async (t) => {
  const lab = await labOf(t, 'o');
  const a = await serve(lab, 'a');
  const [service, old] = [vip('tcp', one, 80, [a]), vip('tcp', two, 80, [a])];
  await backendOf(lab).apply(table(service, old, vip('tcp', literal, 80, [a])));
  await lab.at('r').hold('kept', service);
  let changing = true;
  const load = (async () => {
    const failed: string[] = [];
    while (changing) failed.push(...(await lab.at('host').load(service, 50)).failed);
    return failed;
  })();
  for (let i = 0; i < 8; i++) await backendOf(lab).apply(table(service));
  changing = false;
  t.same(await load, []);
  t.equal(await lab.at('r').say('kept', 'alive'), 'alive');
  t.match(await lab.at('host').ask(old), { kind: 'refused' });
  t.notMatch(await lab.run('host', 'ip', ['route']), literal);
});

t.test(
  'nftables repairs a table that someone else changed, at the next change',
  { skip: needsRoot },
  async (t) => {
    const lab = await labOf(t, 'f');
    const backend = backendOf(lab);
    const a = await serve(lab, 'a');
    const service = vip('tcp', one, 80, [a]);
    await backend.apply(table());
    await lab.run('host', 'nft', ['delete', 'table', 'ip', 'weir']);
    await backend.apply(table(service));
    t.match(await lab.at('host').ask(service), { kind: 'answer', name: 'a-tcp' });
  },
);

t.test('nftables leaves nothing behind when it is removed', { skip: needsRoot }, async (t) => {
  const lab = await labOf(t, 'z');
  const before = await lab.run('host', 'ip', ['route']);
  const backend = backendOf(lab, { table: 'weir_test' });
  await backend.apply(table(vip('tcp', one, 80, []), vip('tcp', literal, 80, [])));
  t.match(await lab.run('host', 'nft', ['list', 'tables']), /weir_test/);
  await backend.stop();
  t.match(await lab.run('host', 'nft', ['list', 'tables']), /weir_test/, 'goes on without this process');
  await backend.stop({ remove: true });
  t.equal(await lab.run('host', 'nft', ['list', 'tables']), '');
  t.equal(await lab.run('host', 'ip', ['route']), before);
});

t.test('nftables takes over a table that was built otherwise', { skip: needsRoot }, async (t) => {
  const lab = await labOf(t, 'q');
  const service = vip('tcp', one, 80, [await serve(lab, 'a')]);
  const other = 'table ip weir { set addresses { type inet_service; }; chain strange { }; }';
  await lab.run('host', 'nft', ['-f', '-'], other);
  await backendOf(lab).apply(table(service));
  t.match(await lab.at('host').ask(service), { kind: 'answer', name: 'a-tcp' });
  t.notMatch(await lab.run('host', 'nft', ['list', 'chains']), 'strange');
  for (const bridgeReplies of [false, true]) {
    await backendOf(lab, { bridgeReplies }).apply(table(service));
    t.match(await lab.at('a').ask(service), { kind: 'answer', name: 'a-tcp' }, 'and back to itself');
  }
});
