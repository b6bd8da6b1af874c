import type { Listener } from '../../../core/model/listener.ts';
import type { Route } from '../../../core/model/route.ts';
import type { BuiltinEngine } from '../../engines/builtin.ts';
import { buildTable } from '../routes/route-table.ts';
import type { EdgeSettings } from '../settings.ts';
import { directory, endpoint, type Recorded, RecordingBackend, route, testEngine } from './peers.ts';

type Ending = { teardown(end: () => Promise<void>): void };

export function listener(protocol: Listener['protocol'], rest: Partial<Listener> = {}): Listener {
  return { id: 'l4', owner: 'listener:l4', address: '127.0.0.1', port: 0, protocol, ...rest };
}

/** A route of the listener `l4` to this app. */
export function ownRoute(app: string, rest: Partial<Route> = {}): Route {
  return {
    ...route({ app, host: rest.host ?? '*', id: `${rest.host ?? '*'} ${app}` }),
    table: 'l4',
    ...rest,
  };
}

/** An engine with one listener `l4` whose table leads to the app `/web` with backends that do as told. */
export async function listenWith(
  t: Ending,
  wanted: Listener,
  {
    answers = [],
    routes,
    settings = {},
    ports = [],
  }: {
    readonly answers?: readonly ((recorded: Recorded) => void)[];
    /** Ports of further endpoints. */
    readonly ports?: readonly number[];
    readonly routes?: readonly Route[];
    readonly settings?: Partial<EdgeSettings>;
  },
) {
  const engine: BuiltinEngine = testEngine(settings);
  const backends = answers.map((answer) => new RecordingBackend(answer));
  const own = await Promise.all(backends.map((backend) => backend.start()));
  const endpoints = [...own, ...ports].map((port, n) => endpoint({ id: `web-${n}`, port }));
  const apply = (revision: number, all = endpoints, which = routes ?? [ownRoute('/web')]) =>
    engine.apply(buildTable(directory(revision, all, [...which])));
  await apply(1);
  await engine.open(wanted);
  t.teardown(async () => {
    await engine.stop();
    await Promise.all(backends.map((backend) => backend.stop()));
  });
  return { engine, backends, endpoints, apply, port: engine.portOf('l4')! };
}
