import { dataText } from './data-text.ts';
import { NameMap, parts } from './name-map.ts';
import { type RecordSet, setsOf } from './record-set.ts';
import type { Given, RecordSource, SourceKey } from './record-source.ts';
import { labelEnd } from './wire/name.ts';
import type { Name, ResourceRecord } from './wire/types.ts';

/** Several sources that have records of one name. */
class Shared {
  readonly sources: Set<RecordSource>;
  /** What they have together; made when it is asked for, as there may be thousands of them. */
  sets: readonly RecordSet[] | undefined;

  constructor(...sources: readonly RecordSource[]) {
    this.sources = new Set(sources);
  }
}

/** A name that has records, or names below it (an empty non-terminal, RFC 8020). Few fields: there is one for every name. */
class Node {
  holder: RecordSource | Shared | undefined;
  /** Names directly below. */
  below = 0;
}

/** A record, why it exists, and whose it is. */
export type Why = { readonly record: ResourceRecord; readonly rule: string; readonly source: SourceKey };

const none: readonly never[] = [];

/**
 * Whose records each name has. A record that several sources give stays until the last of them takes it back. What is kept by name
 * is only who has records there: they are looked up in the source when somebody asks, and most are never asked for.
 */
export class RecordStore {
  readonly #nodes = new NameMap<Node>();
  readonly #onChange: (name: Name) => void;

  /** `onChange` is told every name that gets or loses a record, or begins or ends to exist. */
  constructor(onChange: (name: Name) => void = () => {}) {
    this.#onChange = onChange;
  }

  /** A source gives something else from now on, or something for the first time. */
  update(source: RecordSource): void {
    this.#replace(source, source.write());
  }

  /** A source gives nothing any more. */
  remove(source: RecordSource): void {
    this.#replace(source, none);
  }

  /** A source that is not known yet gives the record that it gives at one name at another. */
  move(source: RecordSource, from: Name, to: Name): void {
    const at = source.names.indexOf(from);
    if (at < 0 || from === to) return;
    source.names[at] = to;
    this.#link(to, source);
    this.#unlink(from, source);
  }

  /** Whether the name has records or is above a name that has. */
  exists(name: Name): boolean {
    return this.#nodes.has(name);
  }

  hasRecords(name: Name): boolean {
    return this.#nodes.get(name)?.holder !== undefined;
  }

  set(name: Name, type: ResourceRecord['type']): RecordSet | undefined {
    for (const set of this.sets(name)) if (set.type === type) return set;
    return undefined;
  }

  sets(name: Name): readonly RecordSet[] {
    const holder = this.#nodes.get(name)?.holder;
    if (holder === undefined) return none;
    if (!(holder instanceof Shared)) return setsOf(ofName(holder.given, name));
    holder.sets ??= setsOf([...holder.sources].flatMap(({ given }) => ofName(given, name)));
    return holder.sets;
  }

  /** Everyone who gave a record of this name. */
  why(name: Name): readonly Why[] {
    const holder = this.#nodes.get(name)?.holder;
    const sources = holder instanceof Shared ? [...holder.sources] : holder === undefined ? [] : [holder];
    const all = sources.flatMap(({ key, given }) =>
      ofName(given, name).map((record) => ({ record, rule: record.rule, source: key })),
    );
    return all.sort((a, b) => compare(dataText(a.record), dataText(b.record)));
  }

  /** Every name that has records. */
  *names(): Iterable<Name> {
    for (let part = 0; part < parts; part++) yield* this.namesOf(part);
  }

  /** Those of one of the `parts` in which a list is made. What is there all the time is in one of them. */
  *namesOf(part: number): Iterable<Name> {
    for (const name of this.#nodes.part(part)) if (this.hasRecords(name)) yield name;
  }

  /** All records of a name, for a list: unlike `sets` it keeps nothing. */
  listed(name: Name): readonly ResourceRecord[] {
    const holder = this.#nodes.get(name)?.holder;
    if (holder === undefined) return none;
    const shared = holder instanceof Shared;
    if (shared && holder.sets !== undefined) return holder.sets.flatMap(({ records }) => records);
    const given = shared
      ? [...holder.sources].flatMap((source) => source.givenAt(name))
      : holder.givenAt(name);
    return given.length === 1 ? given : setsOf(given).flatMap(({ records }) => records);
  }

  /** Names with records and the names above them. */
  get size(): number {
    return this.#nodes.size;
  }

  /** A record that is the very same as before has not changed, and one that nobody could know of has changed for nobody. */
  #replace(source: RecordSource, given: readonly Given[]): void {
    const { names: before, known } = source;
    const names = given.map(({ name }) => name);
    source.names = names;
    source.known = known && given;
    names.forEach((name, at) => {
      if (before[at] !== name) this.#link(name, source);
      else if (known !== undefined && known[at] !== given[at]) this.#changed(name);
    });
    before.forEach((name, at) => {
      if (names[at] !== name) this.#unlink(name, source);
    });
  }

  #changed(name: Name): void {
    this.#onChange(name);
    const holder = this.#nodes.get(name)?.holder;
    if (holder instanceof Shared) holder.sets = undefined;
  }

  /** The source has a record there now, perhaps beside others. */
  #link(name: Name, source: RecordSource): void {
    this.#onChange(name);
    const node = this.#nodes.get(name) ?? this.#create(name);
    const { holder } = node;
    if (holder === undefined) node.holder = source;
    else if (holder instanceof Shared) {
      holder.sources.add(source);
      holder.sets = undefined;
    } else if (holder !== source) node.holder = new Shared(holder, source);
  }

  /** The source has one record less there, perhaps none any more. */
  #unlink(name: Name, source: RecordSource): void {
    this.#changed(name);
    const node = this.#nodes.get(name);
    if (node === undefined || source.names.includes(name)) return;
    const { holder } = node;
    if (holder === source) node.holder = undefined;
    else if (holder instanceof Shared) {
      holder.sources.delete(source);
      if (holder.sources.size === 1) [node.holder] = holder.sources;
    }
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
    if (node.holder !== undefined || node.below > 0) return;
    this.#onChange(name);
    this.#nodes.delete(name);
    const parent = parentOf(name);
    const above = name === '' ? undefined : this.#nodes.get(parent);
    if (above === undefined) return;
    above.below -= 1;
    this.#prune(parent, above);
  }
}

function ofName(given: readonly Given[], name: Name): readonly Given[] {
  return given.filter((record) => record.name === name);
}

/** The name without its first label; the root for a single label. */
export function parentOf(name: Name): Name {
  return name.slice(labelEnd(name, 0) + 1);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
