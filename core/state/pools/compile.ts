import type { Frontend, Pool, PoolBackend } from '../../model/edgelb/pool.ts';
import type { Listener } from '../../model/listener.ts';
import type { Route } from '../../model/route.ts';
import type { PoolRecord } from '../tables.ts';
import { backendOptions, type PoolNote } from './backend-options.ts';
import { frontendListener } from './frontend-listener.ts';
import { type BackendTarget, type FrontendSources, frontendRoutes, hostNotes } from './frontend-routes.ts';
import { poolNotes } from './pool-notes.ts';
import { type SourceChooser, sourceChooser } from './server-sources.ts';
import { statsPlace } from './stats-place.ts';
import { sniNotes, sniRoutes, tcpRoutes } from './stream-routes.ts';

/** A pool in our own words. Which servers its backends have follows from the apps there are (`choosers`). */
export type CompiledPool = {
  readonly routes: readonly Route[];
  /** One for each frontend. */
  readonly listeners: readonly Listener[];
  /** Those that it can do without. */
  readonly spareListeners: readonly Listener[];
  /** By the key of the server set: one chooser for each service of the backend. */
  readonly choosers: ReadonlyMap<string, readonly SourceChooser[]>;
  /** What of it does not do what its author may expect. */
  readonly notes: readonly PoolNote[];
};

/** `ports`: what `bindPort: 0` became. */
export function compilePool(pool: Pool, ports: PoolRecord['ports']): CompiledPool {
  const { frontends, backends } = pool.haproxy;
  const owner = ownerOf(pool.name);
  const read = backends.map((backend, n) => compileBackend(pool.name, backend, `/haproxy/backends/${n}`));
  const targets = new Map(read.map(({ name, target }) => [name, target]));
  const places = frontends.map((frontend, n) => {
    const port = frontend.bindPort === 0 ? (ports[frontend.name] ?? 0) : frontend.bindPort;
    return frontendListener({ pool, frontend, owner }, port, `/haproxy/frontends/${n}`);
  });
  const stats = statsPlace(pool, owner, ports);
  const choosers = new Map<string, readonly SourceChooser[]>(
    read.map(({ target, choosers: all }) => [target.setKey, all]),
  );
  if (stats !== undefined) choosers.set(stats.key, [stats.chooser]);
  return {
    routes: [
      ...frontends.flatMap((frontend, n) =>
        routesOf({ owner, frontend, backends: targets, table: places[n]?.listener.id ?? owner }),
      ),
      ...(stats === undefined ? [] : [stats.route]),
    ],
    listeners: places.map(({ listener }) => listener),
    spareListeners: stats === undefined ? [] : [stats.listener],
    choosers,
    notes: [
      ...poolNotes(pool),
      ...places.flatMap(({ notes }) => notes),
      ...frontends.flatMap((frontend, n) =>
        [sniNotes, hostNotes].flatMap((notesOf) => notesOf(frontend, `/haproxy/frontends/${n}`)),
      ),
      ...read.flatMap(({ notes }) => notes),
    ],
  };
}

export function ownerOf(pool: string): string {
  return `pool:${pool}`;
}

function routesOf(sources: FrontendSources): readonly Route[] {
  const makers: Readonly<Record<Frontend['protocol'], (from: FrontendSources) => readonly Route[]>> = {
    HTTP: frontendRoutes,
    HTTPS: frontendRoutes,
    TCP: tcpRoutes,
    TLS: sniRoutes,
  };
  return makers[sources.frontend.protocol](sources);
}

function compileBackend(pool: string, backend: PoolBackend, path: string) {
  const { options, notes } = backendOptions(backend, path);
  const choosers = backend.services.map((service, n) => sourceChooser(service, `${path}/services/${n}`));
  const setKey = `${ownerOf(pool)}:${backend.name}`;
  const target: BackendTarget = { setKey, name: backend.name, options, protocol: backend.protocol };
  return {
    name: backend.name,
    target,
    choosers,
    notes: [...notes, ...choosers.flatMap((chooser) => chooser.notes)],
  };
}
