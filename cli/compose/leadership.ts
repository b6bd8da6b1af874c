import type { ApiServer } from '../../api/server.ts';
import { errorText } from '../../core/kit/errors.ts';
import type { Log } from '../../core/kit/log.ts';
import type { Part } from '../../core/kit/part.ts';
import type { Database } from '../../core/state/database.ts';
import type { Lock, Store } from '../../core/state/store.ts';
import { knownAt, type MasterSettings } from './master-settings.ts';

/** Of several masters on one store one serves; the others wait here, with a copy of the state that is up to date. */
export function leadership(
  { onLeadershipLost }: MasterSettings,
  { database, log, owner }: { database: Database; log: Log; owner: string },
): Part {
  let stopping = new AbortController();
  let lock: Lock | undefined;
  return {
    async start() {
      stopping = new AbortController();
      const { signal } = stopping;
      log.info('waiting for leadership');
      lock = await database.store.lock('master', owner, signal);
      database.fencedBy({ lock: 'master', fence: lock.fence });
      log.info('leading', { fence: lock.fence });
      lock.lost.addEventListener('abort', () => {
        if (!signal.aborted) onLeadershipLost();
      });
    },
    async stop() {
      stopping.abort();
      await lock?.release();
      lock = undefined;
    },
  };
}

/** Where masters that wait find the one that serves; the last of what a leader does, so that it is ready when it is found. */
export function leading(
  self: string,
  { database, log, api }: { database: Database; log: Log; api: ApiServer },
): Part {
  return {
    async start() {
      await database.commit([{ kind: 'put', ...leaderRecord, value: self }]);
      log.info('master serves', { api: api.url });
    },
    // A master that was killed leaves it there: it leads to nobody, or to one that waits.
    async stop() {
      if ((await leaderIn(database.store).catch(() => undefined)) !== self) return;
      await database.commit([{ kind: 'delete', ...leaderRecord }]).catch((error: unknown) => {
        log.warn('the record of who leads stays', { error: errorText(error) });
      });
    },
  };
}

const leaderRecord = { table: 'meta', key: 'leading' } as const;

/** `HOST:PORT` of who leads. */
export async function leaderIn(store: Store): Promise<string | undefined> {
  const record = await store.get(leaderRecord.table, leaderRecord.key);
  return typeof record?.value === 'string' ? record.value : undefined;
}

/**
 * The Directory says who leads, and agents that hold a revision are not given it again: another leader must be another
 * revision.
 */
export function newLeader(settings: MasterSettings, database: Database): Part {
  const [table, key] = ['meta', 'leader'] as const;
  const { address } = knownAt(settings);
  return {
    async start() {
      const before = await database.store.get(table, key);
      if (reachable(address) === undefined || before?.value === address) return;
      await database.commit([{ kind: 'put', table, key, value: address }]);
    },
    async stop() {},
  };
}

/** The address that other machines know this one by; undefined when the API's does not tell. */
export function reachable(address: string): string | undefined {
  return address === '0.0.0.0' || address.startsWith('127.') ? undefined : address;
}
