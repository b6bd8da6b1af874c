import type { ListenerCounts } from '../../edge/l4/listener-tally.ts';
import type { EndpointStats } from '../../edge/traffic-stats.ts';
import { bindName } from './doors.ts';

/** One line of `show stat`: values by the names of its columns. */
type Row = { get(name: string): string | undefined };

export type Counted = {
  /** By backend and class of status (`2xx`). */
  readonly answers: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** By server, over all backends. */
  readonly servers: ReadonlyMap<
    string,
    {
      readonly answers: ReadonlyMap<string, number>;
      readonly failures: number;
      readonly current: number;
      readonly sick: boolean;
    }
  >;
  /** By the name of their bind line. */
  readonly binds: ReadonlyMap<string, Omit<ListenerCounts, 'listener'>>;
  readonly openConnections: number;
  readonly inFlight: number;
  readonly connectFailures: number;
  readonly retries: number;
  readonly refused: number;
};

/** It carries HTTP only. */
const noStreams = { connections: 0, bytesIn: 0, bytesOut: 0 };
const classes = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** What `show stat` says. */
export function counted(text: string): Counted {
  const rows = rowsOf(text);
  const frontends = rows.filter((row) => row.get('svname') === 'FRONTEND');
  const backends = rows.filter(
    (row) => row.get('svname') === 'BACKEND' && /^([bt]\d+|nowhere)$/.test(row.get('pxname') ?? ''),
  );
  const servers = new Map<
    string,
    { answers: Map<string, number>; failures: number; current: number; sick: boolean }
  >();
  for (const row of rows) {
    const name = row.get('svname') ?? '';
    if (!/^[sp][0-9a-f]{12}$/.test(name)) continue;
    const key = `s${name.slice(1)}`;
    const known = servers.get(key) ?? {
      answers: new Map<string, number>(),
      failures: 0,
      current: 0,
      sick: false,
    };
    for (const [one, count] of answersOf(row)) known.answers.set(one, (known.answers.get(one) ?? 0) + count);
    known.failures += numberOf(row, 'econ');
    known.current += numberOf(row, 'scur');
    known.sick ||= row.get('status')?.startsWith('DOWN') === true;
    servers.set(key, known);
  }
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

export function endpointStats(
  { servers }: Counted,
  nameOf: (server: string) => string | undefined,
): readonly EndpointStats[] {
  return [...servers].flatMap(([server, { answers, failures, current, sick }]) => {
    const endpoint = nameOf(server);
    if (endpoint === undefined) return [];
    const requests = [...answers].map(([codeClass, count]) => ({ codeClass, count }));
    return [
      {
        endpoint,
        requests,
        latency: undefined,
        streams: noStreams,
        connectFailures: failures,
        inFlight: current,
        ejected: false,
        sick,
      },
    ];
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
