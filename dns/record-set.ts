import { dataText } from './data-text.ts';
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
      values.set(dataText(record), record);
    }
  }
  return [...byType].map(([type, values]) => ({ type, records: [...values.values()] }));
}
