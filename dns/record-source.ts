import type { Name, ResourceRecord } from './wire/types.ts';

/** Where a record comes from: `endpoint:<instance>`, `vip:<key>`, `agent:<id>`, `masters`, … */
export type SourceKey = string;

/** A record, and why it exists (for people). One object for both: there are some twenty for each instance. */
export type Given = ResourceRecord & { readonly rule: string };

/** Who gives records. Most are never asked for theirs: they are written when they are, and kept from then on. */
export abstract class RecordSource {
  readonly kind: string;
  readonly id: string | undefined;
  /** The names of what it gives, in that order. Only the store sets it. */
  names: Name[] = [];
  /** What it gives as far as anybody can know; undefined: nobody has asked. Only the store sets it. */
  known: readonly Given[] | undefined;

  constructor(kind: string, id?: string) {
    this.kind = kind;
    this.id = id;
  }

  get key(): SourceKey {
    return this.id === undefined ? this.kind : `${this.kind}:${this.id}`;
  }

  /** All that it gives. */
  get given(): readonly Given[] {
    this.known ??= this.write();
    return this.known;
  }

  /** What it gives at one name. It is not kept: who makes a list of everything asks for everything, and only once. */
  givenAt(name: Name): readonly Given[] {
    return (this.known ?? this.writeAt(name)).filter((record) => record.name === name);
  }

  /** What it is to give now. A record that it gave before and gives again is the same object. */
  abstract write(): readonly Given[];

  /** Of `write` what is at a name, and perhaps more. */
  protected writeAt(_name: Name): readonly Given[] {
    return this.write();
  }
}

/** A source that is told what it gives. */
export class FixedSource extends RecordSource {
  #records: readonly Given[] = [];

  write(): readonly Given[] {
    return this.#records;
  }

  give(records: readonly Given[]): this {
    this.#records = records;
    return this;
  }
}
