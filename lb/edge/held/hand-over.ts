import { type SendHandle, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../../core/kit/clock.ts';
import { errorCode, errorText } from '../../../core/kit/errors.ts';
import { BindFailed } from '../../../core/kit/listen.ts';
import {
  applyDelta,
  type DirectoryDelta,
  emptyDirectory,
  snapshotDelta,
} from '../../../core/model/directory.ts';
import type { HandedEdge } from '../consumer.ts';
import { ListenSocket } from '../listeners/listen-socket.ts';
import type { HandedPlace } from '../listeners/public-places.ts';
import { errorOf, type Failure } from './caller.ts';
import type { Program } from './messages.ts';

/**
 * From one edge process to the next, which the first one starts, because only a child can be given sockets: first the places, each
 * with its socket, then the rest. Later versions only add to it.
 */
type FromOld =
  | { readonly kind: 'place'; readonly place: Omit<HandedPlace, 'socket'> }
  | {
      readonly kind: 'all';
      readonly directory: DirectoryDelta;
      readonly departed: HandedEdge['departed'];
      readonly predecessors: readonly string[];
      readonly ticketKey?: string;
    };
type FromNew =
  | { readonly kind: 'ready' | 'serving' }
  | { readonly kind: 'failed'; readonly failure: Failure };

export type Inheritance = HandedEdge & {
  /** The names by which it and those before it are met, as long as they have clients. */
  readonly predecessors: readonly string[];
};

const patienceMs = 15_000;

/** Starts the next edge and resolves when it serves. Throws when it does not, and then it is gone. */
export async function handOver(
  { file, args }: Program,
  { directory, places, ...rest }: Inheritance,
  { folder, clock }: { readonly folder: string; readonly clock: Clock },
): Promise<void> {
  const log = openSync(join(folder, 'edge.log'), 'a', 0o600);
  const child = spawn(file, args, {
    detached: true,
    serialization: 'advanced',
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const over = new AbortController();
  const said = Promise.withResolvers<FromNew>();
  const ended = () =>
    said.resolve({
      kind: 'failed',
      failure: { code: 'WEIR_EDGE_AWAY', message: 'Cannot start another edge: it does not serve' },
    });
  child.on('error', ended).on('exit', ended);
  child.on('message', (message: FromNew) => {
    if (message.kind !== 'ready') return said.resolve(message);
    for (const { socket, ...place } of places)
      child.send({ kind: 'place', place } satisfies FromOld, socket?.handle as SendHandle, {
        keepOpen: true,
      });
    child.send({ kind: 'all', directory: snapshotDelta(directory), ...rest } satisfies FromOld);
  });
  clock.sleep(patienceMs, over.signal).then(ended, () => {});
  const answer = await said.promise;
  over.abort();
  if (child.connected) child.disconnect();
  child.unref();
  if (answer.kind !== 'failed') return;
  child.kill('SIGKILL');
  throw errorOf(answer.failure);
}

/** In a process that was started by `handOver`; undefined in any other. */
export async function inherited(): Promise<Inheritance | undefined> {
  if (process.send === undefined) return undefined;
  const places: HandedPlace[] = [];
  const all = Promise.withResolvers<Extract<FromOld, { kind: 'all' }>>();
  const take = (message: FromOld, handle: unknown) => {
    if (message.kind === 'all') return all.resolve(message);
    const { place } = message;
    places.push({ ...place, socket: handle === undefined ? undefined : new ListenSocket(place, handle) });
  };
  process.on('message', take);
  // Whoever began this is gone, and what it had is closed.
  process.once('disconnect', orphaned);
  tell({ kind: 'ready' });
  const { kind: _, directory, ...rest } = await all.promise;
  return { directory: applyDelta(emptyDirectory, directory), places, ...rest };
}

/** To the process that began this one: it may let its clients go. */
export async function toldServing(): Promise<void> {
  process.off('disconnect', orphaned);
  tell({ kind: 'serving' });
  if (process.connected) await once(process, 'disconnect');
}

export function toldFailed(error: unknown): void {
  const code = errorCode(error);
  const place = error instanceof BindFailed ? { address: error.address, port: error.port } : {};
  tell({ kind: 'failed', failure: { message: errorText(error), ...(code && { code }), ...place } });
}

function orphaned(): void {
  process.exit(1);
}

function tell(message: FromNew): void {
  process.send?.(message);
}
