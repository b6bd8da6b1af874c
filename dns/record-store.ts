import { type Given, RecordSet, type SourceKey } from './record-set.ts';
import { labelEnd } from './wire/name.ts';
import type { Name, ResourceRecord } from './wire/types.ts';

const none: readonly RecordSet[] = [];

/** A name that has records, or names below it (an empty non-terminal, RFC 8020). */
class Node {
  sets: readonly RecordSet[] = none;
  /** Names directly below. */
  below = 0;

  set(type: ResourceRecord['type']): RecordSet | undefined {
    return this.sets.find((set) => set.type === type);
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

  /** Makes these all the records of a source. */
  replace(source: SourceKey, given: readonly Given[]): void {
    for (const one of this.#given.get(source) ?? []) this.#remove(one);
    for (const one of given) this.#add(one);
    if (given.length === 0) this.#given.delete(source);
    else this.#given.set(source, given);
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
