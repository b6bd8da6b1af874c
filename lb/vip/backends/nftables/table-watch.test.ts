import t from 'tap';
import { silentLog } from '../../../../core/kit/log.ts';
import { table, vip } from '../../backend.contract.ts';
import { labOf, needsRoot, one, ranges, serve } from '../../testing/nftables-lab.ts';
import type { HostExec } from './host.ts';
import { NftablesVips } from './nftables.ts';

t.test(
  'nftables lists a table again only after somebody else was at it, whatever else changes',
  { skip: needsRoot },
  async (t) => {
    const lab = await labOf(t, 'w');
    let listings = 0;
    const exec: HostExec = (file, args, input) => {
      if (args.join(' ').endsWith('list table ip weir') && file === 'timeout') listings++;
      return lab.host(file, args, input);
    };
    const backend = new NftablesVips(
      { log: silentLog, exec, spawn: (file, args) => lab.spawn('host', file, args) },
      { ranges },
    );
    t.teardown(() => backend.stop({ remove: true }));
    const [a, x] = [await serve(lab, 'a'), await serve(lab, 'x')];
    let turn = 0;
    const change = () => backend.apply(table(vip('tcp', one, 80, [turn++ % 2 === 0 ? a : x])));
    const listed = async () => {
      const before = listings;
      t.same(await backend.audit(), []);
      return listings > before;
    };
    await change();
    // It listens once it has heard a change, and trusts what it has listed since.
    for (let tries = 0; (await listed()) && tries < 20; tries++) await change();
    await change();
    t.notOk(await listed(), 'our own changes are no reason');
    await lab.run('host', 'nft', ['add table ip other; add chain ip other weir']);
    t.notOk(await listed(), 'nor are those of others to their own tables');

    let over = false;
    const busy = (async () => {
      while (!over) await change();
    })();
    await lab.run('host', 'nft', ['flush chain ip weir dispatch']);
    let found = await backend.audit();
    for (let tries = 0; found.length === 0 && tries < 20; tries++) found = await backend.audit();
    over = true;
    await busy;
    t.match(found, [{ what: /chain dispatch was changed/, repaired: true }], 'also under constant change');
    t.match(await lab.at('host').ask(vip('tcp', one, 80, [])), { kind: 'answer' });
    t.ok(await listed(), 'what was repaired is looked at once more');
    t.notOk(await listed());
  },
);
