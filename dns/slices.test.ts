import t from 'tap';
import { askUdp } from './testing/client.ts';
import { containerEndpoint, snapshot, vip } from './testing/directory.ts';
import { runResolver } from './testing/resolver.ts';

const apps = 3_000;

/** A Directory in which every app's VIP ends in the revision. */
function whole(revision: number) {
  const ids = Array.from({ length: apps }, (_, app) => app);
  const endpoints = ids.map((app) => containerEndpoint(`/app-${app}`, 'a'));
  const vips = ids.map((app) =>
    vip(`/app-${app}`, [`app-${app}.weir`], { address: `100.127.0.${revision}` }),
  );
  return snapshot(revision, { endpoints, vips });
}

t.test('questions are answered while a large change is made, each from before or after it', async (t) => {
  const { resolver, at } = await runResolver(t, { directory: whole(1) });
  const last = async (app: number) => {
    const [record] = (await askUdp(at, `app-${app}.weir`, 'A')).answers;
    return record?.type === 'A' ? record.address : undefined;
  };
  const seen: (string | undefined)[] = [];
  let ready = false;
  const applied = resolver.applyInTurn(whole(2)).then((revision) => {
    ready = true;
    return revision;
  });
  while (!ready) seen.push(await last(apps - 1));
  t.equal(await applied, 2);
  t.ok(seen.length > 4, 'answers came meanwhile');
  t.ok(seen.every((address) => address === '100.127.0.1' || address === '100.127.0.2'));
  t.same(await Promise.all([last(0), last(apps - 1)]), ['100.127.0.2', '100.127.0.2']);
});

t.test('a hot answer that a snapshot does not change stays hot', async (t) => {
  const { resolver, at } = await runResolver(t, { directory: whole(1) });
  for (const _ of [1, 2]) await askUdp(at, 'app-1.weir', 'A');
  const hot = () => /weir_dns_hot_answers (\d+)/.exec(resolver.metrics())?.[1];
  t.equal(hot(), '1');
  await resolver.applyInTurn({ ...whole(1), revision: 5 });
  t.equal(hot(), '1');
  await resolver.applyInTurn(whole(6));
  t.equal(hot(), '0');
});

t.test('revisions are put in force in their order, whatever their size', async (t) => {
  const { resolver, at } = await runResolver(t, {});
  const small = { set: [vip('/app-0', ['app-0.weir'], { address: '100.127.0.9' })], gone: [] };
  const revisions = [whole(1), { from: 1, revision: 2, vips: small }].map((delta) =>
    resolver.applyInTurn(delta),
  );
  t.same(await Promise.all(revisions), [1, 2]);
  t.match((await askUdp(at, 'app-0.weir', 'A')).answers, [{ address: '100.127.0.9' }]);
});

t.test('a snapshot that cannot be taken changes nothing, and the next one is taken', async (t) => {
  const { resolver, at } = await runResolver(t, { directory: whole(1) });
  const broken = { ...whole(2), endpoints: { set: [undefined as never], gone: [] } };
  await t.rejects(resolver.applyInTurn(broken));
  t.match((await askUdp(at, 'app-0.weir', 'A')).answers, [{ address: '100.127.0.1' }]);
  t.equal(await resolver.applyInTurn(whole(3)), 3);
  t.match((await askUdp(at, 'app-0.weir', 'A')).answers, [{ address: '100.127.0.3' }]);
});
