import { type Given, isSame, RecordSet, type SourceKey } from './record-set.ts';
import { labelEnd } from './wire/name.ts';
import type { Name, ResourceRecord } from './wire/types.ts';

const none: readonly never[] = [];

/** A name that has records, or names below it (an empty non-terminal, RFC 8020). */
class Node {
  sets: readonly RecordSet[] = none;
  /** Names directly below. */
  below = 0;

  set(type: ResourceRecord['type']): RecordSet | undefined {
    for (const set of this.sets) if (set.type === type) return set;
    return undefined;
  }
}

/**
 * Records by name. Each source owns the records it gave last; a record that several gave stays until the last of them
 * takes it back. The work of `replace` is proportional to the source's own records.
 */
export class RecordStore {
  readonly #nodes = new Map<Name, Node>();
  readonly #given = new Map<SourceKey, readonly Given[]>();
  readonly #onChange: (name: Name) => void;

  /** `onChange` is told every name that gets or loses a record, or begins or ends to exist. */
  constructor(onChange: (name: Name) => void = () => {}) {
    this.#onChange = onChange;
  }

  /**
   * Makes these all the records of a source. Those it had already are left alone, and a name that has another record of the source
   * from now on does not go away in between.
   */
  replace(source: SourceKey, given: readonly Given[]): void {
    const before = this.#given.get(source) ?? none;
    const after = given.map((one, index) => this.#put(one, before[index]));
    // a record of the same name and type at the same place has been replaced already
    before.forEach((one, index) => {
      const now = after[index];
      if (now === undefined || !isOfSameSet(one, now)) this.#remove(one);
    });
    if (after.length === 0) this.#given.delete(source);
    else this.#given.set(source, after);
  }

  /** Gives the one that is there now: the one before where that says the same. */
  #put(one: Given, before: Given | undefined): Given {
    if (before === one) return one;
    if (before === undefined || !isOfSameSet(before, one)) this.#add(one);
    else if (isSame(before, one)) return before;
    else this.#swap(before, one);
    return one;
  }

  #swap(before: Given, after: Given): void {
    this.#onChange(after.record.name);
    before.set?.swap(before, after);
  }

  /** Whether the name has records or is above a name that has. */
  exists(name: Name): boolean {
    return this.#nodes.has(name);
  }

  set(name: Name, type: ResourceRecord['type']): RecordSet | undefined {
    return this.#nodes.get(name)?.set(type);
  }

  sets(name: Name): readonly RecordSet[] {
    return this.#nodes.get(name)?.sets ?? none;
  }

  given(source: SourceKey): readonly Given[] {
    return this.#given.get(source) ?? [];
  }

  *all(): Iterable<ResourceRecord> {
    for (const node of this.#nodes.values()) for (const set of node.sets) yield* set.records;
  }

  /** Names with records and the names above them. */
  get size(): number {
    return this.#nodes.size;
  }

  #add(given: Given): void {
    const { name, type } = given.record;
    this.#onChange(name);
    const node = this.#nodes.get(name) ?? this.#create(name);
    const set = node.set(type);
    if (set === undefined) node.sets = [...node.sets, new RecordSet(given)];
    else set.add(given);
  }

  #remove(given: Given): void {
    const { name, type } = given.record;
    const node = this.#nodes.get(name);
    const set = node?.set(type);
    if (node === undefined || set === undefined) return;
    this.#onChange(name);
    set.remove(given);
    if (!set.isEmpty) return;
    node.sets = node.sets.filter((other) => other !== set);
    this.#prune(name, node);
  }

  #create(name: Name): Node {
    const node = new Node();
    this.#onChange(name);
    this.#nodes.set(name, node);
    if (name !== '') {
      const parent = parentOf(name);
      (this.#nodes.get(parent) ?? this.#create(parent)).below += 1;
    }
    return node;
  }

  #prune(name: Name, node: Node): void {
    if (node.sets.length > 0 || node.below > 0) return;
    this.#onChange(name);
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

function isOfSameSet(a: Given, b: Given): boolean {
  return a.record.name === b.record.name && a.record.type === b.record.type;
}
