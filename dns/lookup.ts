import { type Reply, status } from './handler.ts';
import type { RecordSet } from './record-set.ts';
import { type Name, RCODE, type ResourceRecord, TYPE } from './wire/types.ts';
import type { Zone } from './zone.ts';

/** Gives a number in [0, 1), as Math.random does. */
export type Chance = () => number;

const typeNames = new Map<number, ResourceRecord['type']>([
  [TYPE.A, 'A'],
  [TYPE.AAAA, 'AAAA'],
  [TYPE.SRV, 'SRV'],
  [TYPE.PTR, 'PTR'],
  [TYPE.NS, 'NS'],
  [TYPE.CNAME, 'CNAME'],
  [TYPE.TXT, 'TXT'],
]);

/** The answer of our zones (dns.md §4 [Weir], §14); undefined when the name is in none of them. */
export function lookUp(zone: Zone, asked: { name: Name; type: number }, chance: Chance): Reply | undefined {
  const apex = zone.apexOf(asked.name);
  if (apex === undefined) return undefined;
  // dns.md §14.24: no transfers over DNS; /v1/axfr gives the records
  if (asked.type === TYPE.AXFR || asked.type === TYPE.IXFR) return status(RCODE.REFUSED);
  const stored = storedName(zone, asked.name, apex);
  if (!zone.store.exists(stored)) return negative(zone, apex, RCODE.NXDOMAIN);
  if (stored === apex && asked.type === TYPE.SOA) return positive([zone.soaOf(apex, 'answer')]);
  const set = setFor(zone, stored, asked.type);
  // the serial number in its SOA may be older than the revision: nobody transfers our zones
  if (set === undefined) return { ...negative(zone, apex, RCODE.NOERROR), reads: [stored] };
  const targets = targetsOf(set);
  return {
    ...positive(owned(shuffled(set.records, chance), asked.name), additionals(zone, targets)),
    reads: [stored, ...targets],
  };
}

/** Mesos-DNS lets `.*` stand anywhere in a name of its domain and ignores it (dns.md §4). */
export function storedName(zone: Zone, name: Name, apex: Name): Name {
  return apex === zone.options.mesosDomain && name.includes('.*') ? name.replaceAll('.*', '') : name;
}

/** ANY gets one set, as RFC 8482 §4.1 allows: no amplification, and every client can ask for the type it means. */
function setFor(zone: Zone, name: Name, type: number): RecordSet | undefined {
  if (type === TYPE.ANY) return zone.store.sets(name)[0];
  const typeName = typeNames.get(type);
  const set = typeName === undefined ? undefined : zone.store.set(name, typeName);
  return set ?? zone.store.set(name, 'CNAME');
}

function positive(answers: readonly ResourceRecord[], more: readonly ResourceRecord[] = []): Reply {
  return status(RCODE.NOERROR, { authoritative: true, answers, additionals: more });
}

function negative(zone: Zone, apex: Name, rcode: number): Reply {
  return status(rcode, { authoritative: true, authorities: [zone.soaOf(apex, 'negative')] });
}

function owned(records: readonly ResourceRecord[], name: Name): readonly ResourceRecord[] {
  return records[0]?.name === name ? records : records.map((record) => ({ ...record, name }));
}

/** Fisher and Yates: every order is as likely, so clients that take the first spread evenly. */
function shuffled<T>(items: readonly T[], chance: Chance): readonly T[] {
  if (items.length < 2) return items;
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(chance() * (last + 1));
    const item = order[last]!;
    order[last] = order[other]!;
    order[other] = item;
  }
  return order;
}

function targetsOf(set: RecordSet): readonly Name[] {
  if (set.type !== 'SRV' && set.type !== 'NS') return [];
  return [...new Set(set.records.map((record) => ('target' in record ? record.target : '')))];
}

/** The addresses of all targets; the server sends as many as fit. */
function additionals(zone: Zone, targets: readonly Name[]): readonly ResourceRecord[] {
  return targets.flatMap((target) => [
    ...(zone.store.set(target, 'A')?.records ?? []),
    ...(zone.store.set(target, 'AAAA')?.records ?? []),
  ]);
}
