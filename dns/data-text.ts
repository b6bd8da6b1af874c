import type { ResourceRecord } from './wire/types.ts';

/** What a record says, as in a zone file, without trailing dots: no two of one name and type have the same. */
export function dataText(record: ResourceRecord): string {
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
      return `${record.mname} ${record.rname} ${record.serial} ${record.refresh} ${record.retry} ${record.expire} ${record.minimum}`;
    case 'TXT':
      return record.strings.map((part) => JSON.stringify(Buffer.from(part).toString('latin1'))).join(' ');
    case 'opaque':
      return `\\# ${record.data.length} ${Buffer.from(record.data).toString('hex')}`;
  }
}
