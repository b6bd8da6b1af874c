import { labelEnd } from './wire/name.ts';
import type { Name, ResourceRecord } from './wire/types.ts';

/** A record, why it exists (for people), and whose it is. */
export type Contribution = { readonly record: ResourceRecord; readonly rule: string };

/** All records of one name and type. */
export type RecordSet = {
  readonly type: ResourceRecord['type'];
  /** Each value once, in no promised order. Never changed: a later set has another array. */
  readonly records: readonly ResourceRecord[];
};

/** Where a record comes from: `endpoint:<instance>`, `vip:<key>`, `agent:<id>`, … */
export type SourceKey = string;

type Entry = { readonly record: ResourceRecord; readonly sources: Map<SourceKey, string> };

class GrowingSet implements RecordSet {
  readonly type: ResourceRecord['type'];
  readonly entries = new Map<string, Entry>();
  #records: readonly ResourceRecord[] | undefined;

  constructor(type: ResourceRecord['type']) {
    this.type = type;
  }

  get records(): readonly ResourceRecord[] {
    this.#records ??= [...this.entries.values()].map((entry) => entry.record);
    return this.#records;
  }

  add(source: SourceKey, { record, rule }: Contribution): void {
    const key = valueKey(record);
    const entry = this.entries.get(key);
    if (entry !== undefined) {
      entry.sources.set(source, rule);
      return;
    }
    this.entries.set(key, { record, sources: new Map([[source, rule]]) });
    this.#records = undefined;
  }

  remove(source: SourceKey, record: ResourceRecord): void {
    const key = valueKey(record);
    const entry = this.entries.get(key);
    entry?.sources.delete(source);
    if (entry === undefined || entry.sources.size > 0) return;
    this.entries.delete(key);
    this.#records = undefined;
  }
}

/** A name that has records, or names below it (an empty non-terminal, RFC 8020). */
class Node {
  readonly sets: GrowingSet[] = [];
  /** Names directly below. */
  below = 0;

  set(type: ResourceRecord['type']): GrowingSet | undefined {
    return this.sets.find((set) => set.type === type);
  }
}

/**
 * Records by name. Each source owns the records it gave last; a record that several gave stays until the last of them
 * takes it back. The work of `replace` is proportional to the source's own records.
 */
export class RecordStore {
  readonly #nodes = new Map<Name, Node>();
  readonly #given = new Map<SourceKey, readonly Contribution[]>();

  /** Makes these all the records of a source. */
  replace(source: SourceKey, contributions: readonly Contribution[]): void {
    for (const { record } of this.#given.get(source) ?? []) this.#remove(source, record);
    for (const contribution of contributions) this.#add(source, contribution);
    if (contributions.length === 0) this.#given.delete(source);
    else this.#given.set(source, contributions);
  }

  /** Whether the name has records or is above a name that has. */
  exists(name: Name): boolean {
    return this.#nodes.has(name);
  }

  set(name: Name, type: ResourceRecord['type']): RecordSet | undefined {
    return this.#nodes.get(name)?.set(type);
  }

  sets(name: Name): readonly RecordSet[] {
    return this.#nodes.get(name)?.sets ?? [];
  }

  /** Who gave a record, with the rule of each. */
  sourcesOf(record: ResourceRecord): ReadonlyMap<SourceKey, string> {
    const set = this.#nodes.get(record.name)?.set(record.type);
    return set?.entries.get(valueKey(record))?.sources ?? new Map();
  }

  given(source: SourceKey): readonly Contribution[] {
    return this.#given.get(source) ?? [];
  }

  *all(): Iterable<ResourceRecord> {
    for (const node of this.#nodes.values()) for (const set of node.sets) yield* set.records;
  }

  /** Names with records and the names above them. */
  get size(): number {
    return this.#nodes.size;
  }

  #add(source: SourceKey, contribution: Contribution): void {
    const { name, type } = contribution.record;
    const node = this.#nodes.get(name) ?? this.#create(name);
    let set = node.set(type);
    if (set === undefined) {
      set = new GrowingSet(type);
      node.sets.push(set);
    }
    set.add(source, contribution);
  }

  #remove(source: SourceKey, record: ResourceRecord): void {
    const node = this.#nodes.get(record.name);
    const set = node?.set(record.type);
    if (node === undefined || set === undefined) return;
    set.remove(source, record);
    if (set.entries.size > 0) return;
    node.sets.splice(node.sets.indexOf(set), 1);
    this.#prune(record.name, node);
  }

  #create(name: Name): Node {
    const node = new Node();
    this.#nodes.set(name, node);
    if (name !== '') {
      const parent = parentOf(name);
      (this.#nodes.get(parent) ?? this.#create(parent)).below += 1;
    }
    return node;
  }

  #prune(name: Name, node: Node): void {
    if (node.sets.length > 0 || node.below > 0) return;
    this.#nodes.delete(name);
    const parent = parentOf(name);
    const above = name === '' ? undefined : this.#nodes.get(parent);
    if (above === undefined) return;
    above.below -= 1;
    this.#prune(parent, above);
  }
}

/** The name without its first label; the root for a single label. */
export function parentOf(name: Name): Name {
  return name.slice(labelEnd(name, 0) + 1);
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
