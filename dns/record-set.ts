import type { RecordSource } from './record-source.ts';
import type { Name, ResourceRecord } from './wire/types.ts';

/** All records of one name and type, each value once, whoever gave it, in no promised order. */
export type RecordSet = {
  readonly type: ResourceRecord['type'];
  readonly records: readonly ResourceRecord[];
};

/** What several sources, or one, have at a name, by type. */
export function setsAt(name: Name, sources: Iterable<RecordSource>): readonly RecordSet[] {
  const byType = new Map<ResourceRecord['type'], Map<string, ResourceRecord>>();
  for (const { given } of sources) {
    for (const record of given) {
      if (record.name !== name) continue;
      const values = byType.get(record.type) ?? new Map<string, ResourceRecord>();
      if (values.size === 0) byType.set(record.type, values);
      values.set(contentOf(record), record);
    }
  }
  return [...byType].map(([type, values]) => ({ type, records: [...values.values()] }));
}

/** What a record says, as a key among those of its name and type. */
export function contentOf(record: ResourceRecord): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return record.address;
    case 'NS':
    case 'CNAME':
    case 'PTR':
      return record.target;
    case 'SRV':
      return `${record.priority} ${record.weight} ${record.port} ${record.target}`;
    case 'SOA':
      return record.mname;
    case 'TXT':
      return record.strings.map((string) => Buffer.from(string).toString('latin1')).join('\n');
    case 'opaque':
      return `${record.code} ${Buffer.from(record.data).toString('latin1')}`;
  }
}
