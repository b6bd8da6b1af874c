import type { ResourceRecord } from './wire/types.ts';

/** Where a record comes from: `endpoint:<instance>`, `vip:<key>`, `agent:<id>`, … */
export type SourceKey = string;

/** A record, why it exists (for people), and whose it is. */
export type Given = {
  readonly record: ResourceRecord;
  readonly rule: string;
  readonly source: SourceKey;
  /** The set that holds it, so that one that takes its place need not look for it. Only the set writes it. */
  set: RecordSet | undefined;
};

/** All records of one name and type. Few fields: there are as many of these as names. */
export class RecordSet {
  readonly type: ResourceRecord['type'];
  readonly #given: Given[];
  #records: readonly ResourceRecord[] | undefined;

  constructor(first: Given) {
    this.type = first.record.type;
    // an array literal has room for what it holds; one that is pushed to begins with room for seventeen
    this.#given = [first];
    first.set = this;
  }

  /** Each value once, whoever gave it, in no promised order. Never changed: a later set has another array. */
  get records(): readonly ResourceRecord[] {
    this.#records ??= this.#given.length === 1 ? [this.#given[0]!.record] : distinct(this.#given);
    return this.#records;
  }

  /** Everyone who gave this value. */
  givenLike(record: ResourceRecord): readonly Given[] {
    const key = valueKey(record);
    return this.#given.filter((given) => valueKey(given.record) === key);
  }

  get isEmpty(): boolean {
    return this.#given.length === 0;
  }

  add(given: Given): void {
    this.#given.push(given);
    given.set = this;
    this.#records = undefined;
  }

  swap(before: Given, after: Given): void {
    const at = this.#given.length === 1 ? 0 : this.#given.indexOf(before);
    this.#given[at] = after;
    before.set = undefined;
    after.set = this;
    this.#records = undefined;
  }

  remove(given: Given): void {
    const at = this.#given.indexOf(given);
    if (at < 0) return;
    const last = this.#given.pop()!;
    if (last !== given) this.#given[at] = last;
    given.set = undefined;
    this.#records = undefined;
  }
}

/** Whether two of one name and type say the same, for the same reason. */
export function isSame(a: Given, b: Given): boolean {
  const [x, y] = [a.record, b.record];
  if (x.ttl !== y.ttl || a.rule !== b.rule) return false;
  if ('address' in x && 'address' in y) return x.address === y.address;
  return valueKey(x) === valueKey(y);
}

function distinct(given: readonly Given[]): readonly ResourceRecord[] {
  return [...new Map(given.map(({ record }) => [valueKey(record), record])).values()];
}

function valueKey(record: ResourceRecord): string {
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
