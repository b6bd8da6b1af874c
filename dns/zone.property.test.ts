import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  applyDelta,
  type Directory,
  type DirectoryDelta,
  emptyDirectory,
  snapshotDelta,
} from '../core/model/directory.ts';
import { dataText } from './data-text.ts';
import { defaultZoneOptions } from './options.ts';
import { plainRecord } from './plain-reply.ts';
import { agent, containerEndpoint, hostEndpoint, vip } from './testing/directory.ts';
import { allRecords } from './testing/records.ts';
import { Zone } from './zone.ts';

const apps = fc.constantFrom('/web', '/shop/web', '/shop', '/shop-web', '/a/b/c');
const uuids = fc.constantFrom('a', 'b', 'c');
const ips = fc.constantFrom('100.64.1.1', '100.64.1.2', 'fd00::1');

const endpoint = fc
  .tuple(apps, uuids, ips, fc.boolean(), fc.boolean())
  .map(([app, uuid, ip, ready, host]) =>
    host
      ? { ...hostEndpoint(app, uuid, 31_000), ready }
      : containerEndpoint(app, uuid, { ready, addresses: [{ network: 'weir', ip }] }),
  );
const anyVip = fc
  .tuple(apps, fc.constantFrom('web.shop.weir', 'web.weir', 'c.b.a.weir', 'out.example'), ips)
  .map(([app, name, address]) => vip(app, [name], { address }));
const anyAgent = fc
  .tuple(fc.constantFrom('a-S1', 'a-S2', 'a-S3'), ips, fc.boolean())
  .map(([id, address, master]) => agent(id, address, master));

function changes<T>(item: fc.Arbitrary<T>, keyOf: (item: T) => string) {
  return fc.record({
    set: fc.uniqueArray(item, { maxLength: 4, selector: keyOf }),
    gone: fc.array(item.map(keyOf), { maxLength: 3 }),
  });
}

const step = fc.record({
  endpoints: changes(endpoint, (item) => item.instanceId),
  vips: changes(anyVip, (item) => item.key),
  agents: changes(anyAgent, (item) => item.id),
});

function dump(zone: Zone): readonly string[] {
  const records = allRecords(zone).map((record) => {
    const { name, type, data } = plainRecord(record);
    const why = zone.store.why(name).filter((one) => dataText(one.record) === dataText(record));
    const sources = why.map(({ source }) => source).sort();
    return `${name} ${type} ${data} (${sources.join(' ')})`;
  });
  return [...records.sort(), `${zone.store.size} names`];
}

/** What there is of a name, of every type. */
function said(zone: Zone, name: string): string {
  const records = zone.store.sets(name).flatMap((set) => set.records.map(plainRecord));
  return records
    .map(({ type, data }) => `${type} ${data}`)
    .sort()
    .join(', ');
}

function zoneOf(delta: DirectoryDelta): Zone {
  const zone = new Zone(defaultZoneOptions);
  zone.apply(delta);
  return zone;
}

t.test('a zone changed step by step is the zone made at once', async (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      let directory: Directory = emptyDirectory;
      const zone = zoneOf(snapshotDelta(directory));
      for (const changes of steps) {
        // `from: 0` would replace everything, so revisions begin at 1
        const revision = directory.revision + 1;
        const delta: DirectoryDelta = { from: revision - 1 || -1, revision, ...changes };
        directory = applyDelta(directory, delta);
        zone.apply(delta);
      }
      const fresh = zoneOf(snapshotDelta(directory));
      assert.deepEqual(dump(zone), dump(fresh));
    }),
    { numRuns: 150 },
  );
  t.pass('150 histories');
});

const watchedNames = [
  'web.marathon.mesos',
  'web-shop.marathon.mesos',
  '_web._tcp.marathon.slave.mesos',
  '_http._web._tcp.marathon.mesos',
  'web.marathon.agentip.dcos.thisdcos.directory',
  'web.marathon.containerip.dcos.thisdcos.directory',
  'instance-a.web.weir',
  'web.weir',
  '_http._tcp.web.weir',
  '1.1.64.100.in-addr.arpa',
  '2.1.64.100.in-addr.arpa',
  'slave.mesos',
  'leader.mesos',
];

t.test('whoever was told something of a name hears of it when that changes', async (t) => {
  const asking = fc.subarray(watchedNames);
  fc.assert(
    fc.property(fc.array(fc.tuple(asking, step), { maxLength: 8 }), (history) => {
      const changed = new Set<string>();
      const zone = new Zone(defaultZoneOptions, (name) => changed.add(name));
      zone.apply(snapshotDelta(emptyDirectory));
      const told = new Map<string, string>();
      history.forEach(([names, changes], index) => {
        for (const name of names) told.set(name, said(zone, name));
        changed.clear();
        zone.apply({ from: index + 1, revision: index + 2, ...changes });
        for (const [name, before] of told) {
          if (changed.has(name)) told.delete(name);
          else assert.equal(said(zone, name), before, name);
        }
      });
    }),
    { numRuns: 300 },
  );
  t.pass('300 histories');
});
