import t from 'tap';
import { table, vip } from '../../backend.contract.ts';
import { backendOf, labOf, literal, needsRoot, one, ranges, serve, two } from '../../testing/nftables-lab.ts';

/** Thirteen ways to spoil a host's VIPs by hand, and what the audit says to each. */
const corruptions = [
  ['the table is deleted', 'nft delete table ip weir', /chain dispatch is missing/],
  ['a chain is emptied', 'nft flush chain ip weir dispatch', /chain dispatch was changed/],
  ['a rule is put in the way', 'nft insert rule ip weir client drop', /chain client was changed/],
  [
    'a chain is added',
    "nft 'add chain ip weir more { type filter hook output priority 0; policy drop; }'",
    /chain more is not ours/,
  ],
  [
    'a service is deleted',
    `nft 'delete element ip weir services { ${one} . tcp . 80 }'`,
    /map services lacks 1/,
  ],
  [
    'a service is invented',
    `nft 'add element ip weir services { ${two} . tcp . 80 : goto tcp-of-1 }'`,
    /map services has 1/,
  ],
  [
    'a target leads elsewhere',
    `nft 'delete element ip weir tcp-targets { ${one} . 80 . 0 }; add element ip weir tcp-targets { ${one} . 80 . 0 : 100.65.1.12 . 9 }'`,
    /map tcp-targets lacks 1/,
  ],
  [
    'an address is disowned',
    `nft 'delete element ip weir addresses { ${literal} }'`,
    /set addresses lacks 1/,
  ],
  ['a route is deleted', `ip route del ${ranges[0]} dev weirvip0`, /the route to 100.100.0.0\/16 is missing/],
  [
    'a fallback is deleted',
    `ip route del unreachable ${literal} metric 4278198272 proto 88`,
    /the fallback route to 100.101.0.9 is missing/,
  ],
  ['the device is deleted', 'ip link del weirvip0', /the device weirvip0 is missing/],
  [
    'a rule of another table drops what goes to a VIP',
    `nft 'add table ip other; add chain ip other out { type filter hook output priority -300; }; add rule ip other out ip daddr ${one} drop'`,
    /table ip other \(chain out\) does drop to packets for 100\.100\.1\.1/,
  ],
  [
    'a rule of another family leads a range elsewhere',
    `nft 'add table inet more; add chain inet more out { type nat hook output priority -150; }; add rule inet more out ip daddr ${ranges[0]} dnat ip to 100.65.1.99'`,
    /table inet more \(chain out\) does dnat to packets for 100\.100\.0\.0\/16/,
  ],
] as const;

t.test('nftables finds and repairs what was spoiled by hand', { skip: needsRoot }, async (t) => {
  const lab = await labOf(t, 'y');
  const backend = backendOf(lab);
  const target = await serve(lab, 'a');
  const [web, fixed] = [vip('tcp', one, 80, [target]), vip('tcp', literal, 80, [target])];
  t.same(await backend.audit(), [], 'nothing is in force yet');
  await backend.apply(table(web, fixed, vip('udp', one, 53, [target, { ...target, port: 9 }])));
  for (const service of [web, fixed]) t.match(await lab.at('host').ask(service), { kind: 'answer' });
  t.same(await backend.audit(), [], 'as it was put there, with the traces of packets');
  for (const [name, command, says] of corruptions) {
    await lab.run('host', 'sh', ['-c', command]);
    const found = await backend.audit();
    t.match(found.map(({ what }) => what).join('\n'), says, name);
    t.ok(
      found.every(({ repaired }) => repaired),
      `${name}: repaired`,
    );
    t.same(await backend.audit(), [], `${name}: nothing is left of it`);
    for (const service of [web, fixed]) t.match(await lab.at('host').ask(service), { kind: 'answer' }, name);
    t.match(await lab.at('host').ask({ ...web, address: two }), { kind: 'refused' }, name);
  }
});

t.test(
  'nftables takes chains that an earlier process needed for no drift',
  { skip: needsRoot },
  async (t) => {
    const lab = await labOf(t, 'yc');
    const target = await serve(lab, 'a');
    const first = backendOf(lab);
    await first.apply(table(vip('tcp', one, 80, [target, { ...target, port: 9 }])));
    await first.stop();
    const second = backendOf(lab);
    await second.apply(table(vip('tcp', one, 80, [target])));
    t.same(await second.audit(), []);
    await lab.run('host', 'nft', ['add', 'rule', 'ip', 'weir', 'tcp-of-2', 'drop']);
    t.match(
      await second.audit(),
      [{ what: 'chain tcp-of-2 is not ours', repaired: true }],
      'unless they are used',
    );
    t.same(await second.audit(), []);
  },
);

t.test('nftables goes on from a repair by small changes', { skip: needsRoot }, async (t) => {
  const lab = await labOf(t, 'v');
  const backend = backendOf(lab);
  const [a, x] = [await serve(lab, 'a'), await serve(lab, 'x')];
  await backend.apply(table(vip('tcp', one, 80, [a])));
  await lab.run('host', 'nft', ['delete', 'table', 'ip', 'weir']);
  t.ok((await backend.audit()).length > 0);
  await backend.apply(table(vip('tcp', one, 80, [x])));
  t.match(await lab.at('host').ask(vip('tcp', one, 80, [])), { kind: 'answer', name: 'x-tcp' });
  t.same(await backend.audit(), []);
});
