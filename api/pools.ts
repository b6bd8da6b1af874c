import type { PoolFault } from '../core/model/edgelb/lenient.ts';
import type { Pool } from '../core/model/edgelb/pool.ts';
import { readPool } from '../core/model/edgelb/read-pool.ts';
import { type Listener, placeText } from '../core/model/listener.ts';
import type { PoolNote } from '../core/state/pools/backend-options.ts';
import { compilePool, ownerOf } from '../core/state/pools/compile.ts';
import { labelPoolName, poolsByLabels } from '../core/state/pools/label-pools.ts';
import type { Write } from '../core/state/store.ts';
import type { PoolRecord } from '../core/state/tables.ts';
import type { ApiDependencies } from './dependencies.ts';
import { missingCertificates, poolCertificates, removals } from './pool-certificates.ts';
import { withKeptKeys, withoutKeys } from './pool-keys.ts';
import { choosePorts } from './pool-ports.ts';

export type PoolResult =
  /** `notes`: what of it does not do what its author may expect. */
  | {
      readonly kind: 'stored';
      readonly pool: Pool;
      readonly notes: readonly PoolNote[];
      readonly isNew: boolean;
    }
  | { readonly kind: 'invalid'; readonly faults: readonly PoolFault[] }
  | { readonly kind: 'conflict'; readonly message: string }
  | { readonly kind: 'absent' };

export type ShownPool = {
  readonly record: PoolRecord;
  /** Undefined: this version cannot read it. */
  readonly pool: Pool | undefined;
  readonly notes: readonly PoolNote[];
};

/** Every change of pools goes through here, whichever API it came by. */
export class Pools {
  readonly #database: ApiDependencies['database'];
  readonly #publisher: ApiDependencies['publisher'];

  readonly #clock: ApiDependencies['clock'];

  constructor({ database, publisher, clock }: ApiDependencies) {
    this.#clock = clock;
    this.#database = database;
    this.#publisher = publisher;
  }

  get all(): readonly ShownPool[] {
    const records = [...this.#database.snapshot.table('pools').values()];
    return [
      ...records.filter(({ kind }) => kind === 'pool').map((record) => this.#shown(record)),
      ...this.#labelled,
    ];
  }

  get(name: string): ShownPool | undefined {
    return this.#stored(name) ?? this.#labelled.find(({ record }) => record.name === name);
  }

  #stored(name: string): ShownPool | undefined {
    const record = this.#database.snapshot.table('pools').get(name);
    return record?.kind === 'pool' ? this.#shown(record) : undefined;
  }

  /** Those that labels of apps make; they change with the apps only. */
  get #labelled(): readonly ShownPool[] {
    return [...poolsByLabels(this.#database.snapshot)].flatMap(([template, { definition, faults }]) => {
      if (definition === undefined) return [];
      const made = this.#shown({ kind: 'pool', name: labelPoolName(template), definition, ports: {} });
      const notes = faults.map(({ app, reason }) => ({ path: app, error: `is left out: ${reason}` }));
      return [{ ...made, notes: [...made.notes, ...notes] }];
    });
  }

  async create(definition: unknown): Promise<PoolResult> {
    const read = readPool(definition);
    if (read.kind === 'faults') return { kind: 'invalid', faults: read.faults };
    if (this.get(read.pool.name) !== undefined)
      return { kind: 'conflict', message: `pool '${read.pool.name}' exists already` };
    return this.#store(read.pool, definition, read.notes);
  }

  /** `orNew`: one that is not there is made. */
  async replace(
    name: string,
    definition: unknown,
    { orNew }: { readonly orNew: boolean },
  ): Promise<PoolResult> {
    const before = this.#stored(name);
    if (before === undefined && !orNew) return { kind: 'absent' };
    const given = withKeptKeys(withName(definition, name), before?.record.definition);
    const read = readPool(given);
    if (read.kind === 'faults') return { kind: 'invalid', faults: read.faults };
    const faults = replaceFaults(name, before?.pool, read.pool);
    return faults.length > 0 ? { kind: 'invalid', faults } : this.#store(read.pool, given, read.notes);
  }

  async remove(name: string): Promise<boolean> {
    if (this.#stored(name) === undefined) return false;
    const certificates = removals(this.#database.snapshot, name);
    await this.#database.commit([{ kind: 'delete', table: 'pools', key: name }, ...certificates]);
    return true;
  }

  async setTemplate(name: string, lbTemplate: string | undefined): Promise<boolean> {
    const record = this.#stored(name)?.record;
    if (record === undefined) return false;
    const { lbTemplate: _, ...rest } = record;
    const value = { ...rest, ...(lbTemplate !== undefined && { lbTemplate }) };
    await this.#database.commit([{ kind: 'put', table: 'pools', key: name, value }]);
    return true;
  }

  async #store(pool: Pool, definition: unknown, ignored: readonly PoolNote[]): Promise<PoolResult> {
    const { name } = pool;
    const before = this.#stored(name)?.record;
    const choice = choosePorts(this.#database.snapshot, pool);
    if (choice.kind === 'taken') return { kind: 'conflict', message: choice.message };
    const compiled = compilePool(pool, choice.ports);
    const taken = this.#takenPlace(compiled.listeners, name);
    if (taken !== undefined) return { kind: 'conflict', message: taken };
    const certificates = poolCertificates(this.#database.snapshot, pool, this.#clock.now());
    if (certificates.kind === 'faults') return { kind: 'invalid', faults: certificates.faults };
    const { lbTemplate } = before ?? {};
    const kept = lbTemplate === undefined ? {} : { lbTemplate };
    const value: PoolRecord = { kind: 'pool', name, definition, ports: choice.ports, ...kept };
    const isNew = before === undefined;
    // Of two that make it at once one is told that it is there.
    const put: Write = { kind: 'put', table: 'pools', key: name, value, ...(isNew && { expect: 0 }) };
    const { kind } = await this.#database.commit([put, ...certificates.writes]);
    if (kind === 'conflict') return { kind, message: `pool '${name}' exists already` };
    const missing = missingCertificates(this.#database.snapshot, compiled);
    const notes = [...ignored, ...compiled.notes, ...missing];
    return { kind: 'stored', pool: withoutKeys(pool), notes, isNew };
  }

  #shown(record: PoolRecord): ShownPool {
    const read = readPool(record.definition);
    if (read.kind === 'faults') return { record, pool: undefined, notes: read.faults };
    const compiled = compilePool(read.pool, record.ports);
    const missing = missingCertificates(this.#database.snapshot, compiled);
    return { record, pool: withoutKeys(read.pool), notes: [...read.notes, ...compiled.notes, ...missing] };
  }

  /** A place that is somebody else's, and whose. */
  #takenPlace(listeners: readonly Listener[], name: string): string | undefined {
    for (const listener of listeners) {
      const holder = this.#publisher.listeners.holder(listener);
      if (holder !== undefined && holder.owner !== ownerOf(name))
        return `Cannot listen on ${placeText(listener)}: it belongs to ${holder.owner} (${placeText(holder)})`;
    }
    return undefined;
  }
}

/** The path says it where the body does not. */
function withName(definition: unknown, name: string): unknown {
  const isBare = typeof definition === 'object' && definition !== null && !('name' in definition);
  return isBare ? { ...definition, name } : definition;
}

function replaceFaults(name: string, before: Pool | undefined, after: Pool): readonly PoolFault[] {
  if (after.name !== name)
    return [{ path: '/name', error: `pool '${name}' cannot be renamed to '${after.name}'` }];
  if (before === undefined || before.namespace === after.namespace) return [];
  return [
    {
      path: '/namespace',
      error: `the namespace of pool '${name}' cannot be changed from '${before.namespace}'`,
    },
  ];
}
