import { dataText } from './data-text.ts';
import type { ResourceRecord } from './wire/types.ts';

/** All records of one name and type, each value once, whoever gave it, in no promised order. */
export type RecordSet = {
  readonly type: ResourceRecord['type'];
  readonly records: readonly ResourceRecord[];
};

/** Records of one name, by type. */
export function setsOf(records: Iterable<ResourceRecord>): readonly RecordSet[] {
  const byType = new Map<ResourceRecord['type'], Map<string, ResourceRecord>>();
  for (const record of records) {
    const values = byType.get(record.type) ?? new Map<string, ResourceRecord>();
    if (values.size === 0) byType.set(record.type, values);
    values.set(dataText(record), record);
  }
  return [...byType].map(([type, values]) => ({ type, records: [...values.values()] }));
}
