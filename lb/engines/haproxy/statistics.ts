import type { ListenerCounts } from '../../edge/l4/listener-tally.ts';
import type { EndpointStats } from '../../edge/telemetry/traffic-stats.ts';
import { bindName } from './doors.ts';
import type { Latencies } from './latencies.ts';

/** One line of `show stat`: values by the names of its columns. */
type Row = { get(name: string): string | undefined };

export type ServerCounts = {
  readonly answers: ReadonlyMap<string, number>;
  readonly failures: number;
  readonly inFlight: number;
  readonly sick: boolean;
  readonly streams: EndpointStats['streams'];
};

export type Counted = {
  /** By backend and class of status (`2xx`). */
  readonly answers: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** By server, over all backends. */
  readonly servers: ReadonlyMap<string, ServerCounts>;
  /** By the name of their bind line. */
  readonly binds: ReadonlyMap<string, Omit<ListenerCounts, 'listener'>>;
  readonly openConnections: number;
  readonly inFlight: number;
  readonly connectFailures: number;
  readonly retries: number;
  readonly refused: number;
};

const classes = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** What `show stat` says. */
export function counted(text: string): Counted {
  const rows = rowsOf(text);
  const frontends = rows.filter((row) => row.get('svname') === 'FRONTEND');
  const backends = rows.filter(
    (row) => row.get('svname') === 'BACKEND' && /^([bt]k?\d+|nowhere)$/.test(row.get('pxname') ?? ''),
  );
  const servers = serversIn(rows);
  const sum = (of: readonly Row[], name: string) => of.reduce((all, row) => all + numberOf(row, name), 0);
  return {
    answers: new Map(backends.map((row) => [row.get('pxname') ?? '', answersOf(row)])),
    servers,
    binds: new Map(
      rows.filter((row) => row.get('type') === '3').map((row) => [row.get('svname') ?? '', bindCounts(row)]),
    ),
    openConnections: sum(frontends, 'scur'),
    inFlight: sum(backends, 'scur'),
    connectFailures: sum(backends, 'econ'),
    retries: sum(backends, 'wretr'),
    refused: sum(frontends, 'ereq'),
  };
}

function serversIn(rows: readonly Row[]): ReadonlyMap<string, ServerCounts> {
  const own = rows.filter((row) => /^[sp][0-9a-f]{12}$/.test(row.get('svname') ?? ''));
  const byServer = Map.groupBy(own, (row) => `s${row.get('svname')?.slice(1)}`);
  return new Map([...byServer].map(([server, same]) => [server, serverCounts(same)] as const));
}

/** Of one address in all backends; a server and its spare are one. */
function serverCounts(rows: readonly Row[]): ServerCounts {
  const answers = new Map<string, number>();
  for (const row of rows)
    for (const [one, count] of answersOf(row)) answers.set(one, (answers.get(one) ?? 0) + count);
  const streams = rows.filter((row) => row.get('pxname')?.startsWith('t'));
  const sum = (of: readonly Row[], name: string) => of.reduce((all, row) => all + numberOf(row, name), 0);
  return {
    answers,
    failures: sum(rows, 'econ'),
    inFlight: sum(rows, 'scur'),
    sick: rows.some((row) => row.get('status')?.startsWith('DOWN')),
    streams: {
      connections: sum(streams, 'stot'),
      bytesIn: sum(streams, 'bin'),
      bytesOut: sum(streams, 'bout'),
    },
  };
}

export function endpointStats(
  { servers }: Counted,
  nameOf: (server: string) => string | undefined,
  latencies: Latencies | undefined,
): readonly EndpointStats[] {
  const names = new Set([...servers.keys()].flatMap((server) => nameOf(server) ?? []));
  const took = latencies?.endpoints(names);
  return [...servers].flatMap(([server, { answers, failures, inFlight, sick, streams }]) => {
    const endpoint = nameOf(server);
    if (endpoint === undefined) return [];
    const requests = [...answers].map(([codeClass, count]) => ({ codeClass, count }));
    const counts = { requests, inFlight, streams, connectFailures: failures };
    return [{ endpoint, ...counts, latency: took?.get(endpoint), ejected: false, sick }];
  });
}

export function listenerCounts(
  { binds }: Counted,
  listeners: readonly { readonly id: string; readonly number: number }[],
): readonly ListenerCounts[] {
  return listeners.flatMap(({ id, number }) => {
    const counts = binds.get(bindName({ number }));
    return counts === undefined ? [] : [{ listener: id, ...counts }];
  });
}

function bindCounts(row: Row): Omit<ListenerCounts, 'listener'> {
  return {
    connections: numberOf(row, 'stot'),
    open: numberOf(row, 'scur'),
    refused: numberOf(row, 'dreq') + numberOf(row, 'dcon'),
    bytesIn: numberOf(row, 'bin'),
    bytesOut: numberOf(row, 'bout'),
  };
}

function rowsOf(text: string): readonly Row[] {
  const [head = '', ...lines] = text.split('\n').filter((line) => line !== '');
  const names = head.replace(/^# /, '').split(',');
  const columns = new Map(names.map((name, n) => [name, n]));
  return lines.map((line) => {
    const values = line.split(',');
    return { get: (name) => values[columns.get(name) ?? -1] };
  });
}

function answersOf(row: Row): Map<string, number> {
  return new Map(
    classes.flatMap((name) => {
      const count = numberOf(row, `hrsp_${name}`);
      return count === 0 ? [] : [[name, count] as const];
    }),
  );
}

function numberOf(row: Row, name: string): number {
  return Number(row.get(name) ?? 0) || 0;
}
