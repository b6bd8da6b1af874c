import fc from 'fast-check';
import t from 'tap';
import { vipRange } from '../core/model/vip-address.ts';
import type { AddressRecord } from '../core/state/tables.ts';
import { addressWrites, VirtualAddressesExhausted } from './addresses.ts';

const range = vipRange('11.0.0.1', '11.0.0.4');
const minute = 60_000;

/** The root has these names and no others. */
function changesTo(names: readonly string[], records: ReadonlyMap<string, AddressRecord>) {
  const needed = new Set(names.map((name) => `weir/${name}`));
  return { needed, dropped: new Set([...records.keys()].filter((name) => !needed.has(name))) };
}

function after(
  records: ReadonlyMap<string, AddressRecord>,
  names: readonly string[],
  now: number,
): ReadonlyMap<string, AddressRecord> {
  const next = new Map(records);
  for (const write of addressWrites(records, changesTo(names, records), { now, vipRange: range })) {
    if (write.kind === 'delete') next.delete(write.key);
    else next.set(write.key, write.value as AddressRecord);
  }
  return next;
}

t.test('a name keeps its address while it is used, and for the quarantine after', async (t) => {
  const first = after(new Map(), ['a'], 0);
  const released = after(first, [], minute);
  t.match(released.get('weir/a'), { releasedAt: minute });
  const back = after(released, ['a'], 10 * minute);
  t.same(back, first);
});

t.test('no two names in use share an address, and none in quarantine is given away', async () => {
  const change = fc.record({
    names: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 2 }),
    pause: fc.constantFrom(0, minute, 11 * minute),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      let records: ReadonlyMap<string, AddressRecord> = new Map();
      let now = 0;
      for (const { names, pause } of changes) {
        now += pause;
        try {
          records = after(records, names, now);
        } catch (error) {
          if (error instanceof VirtualAddressesExhausted) continue;
          throw error;
        }
        const held = [...records.values()].map((record) => record.address);
        if (new Set(held).size < held.length) return false;
        if (!names.every((name) => records.get(`weir/${name}`)?.releasedAt === undefined)) return false;
      }
      return true;
    }),
    { numRuns: 500 },
  );
});

t.test('a full range names the name it has no address for', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  t.throws(() => after(new Map(), names, 0), { code: 'WEIR_VIP_RANGE_FULL', message: /weir\/e/ });
});

t.test(
  'with an IPv6 range a name gets an address of each family, where the hash of vip.md §4 puts it',
  async (t) => {
    const options = {
      now: 0,
      vipRange: vipRange('11.0.0.0', '11.255.255.255'),
      vipRange6: vipRange('fd01:c::', 'fd01:c::ffff:ffff:ffff:ffff'),
    };
    const name = 'l4lb/web.marathon';
    const given = addressWrites(new Map(), { needed: new Set([name]), dropped: new Set() }, options);
    t.match(given, [
      { key: name, value: { address: '11.225.36.193' } },
      { key: `6/${name}`, value: { address: 'fd01:c::cb8:74fe:906b:dee' } },
    ]);
    const records = new Map(given.map((write) => [write.key, (write as { value: AddressRecord }).value]));
    const gone = addressWrites(records, { needed: new Set(), dropped: new Set([name]) }, options);
    t.match(
      gone,
      [{ value: { releasedAt: 0 } }, { value: { releasedAt: 0 } }],
      'both are kept for the quarantine',
    );
  },
);
