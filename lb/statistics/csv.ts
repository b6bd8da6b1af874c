import type { Answers } from './measured.ts';
import type { BackendRow, FrontendRow, Proxies, ServerRow } from './proxies.ts';

/** HAProxy 2.0's columns in their order: tools find what they want by place or by name. */
const columns = [
  'pxname svname qcur qmax scur smax slim stot bin bout dreq dresp ereq econ eresp wretr wredis status weight act bck',
  'chkfail chkdown lastchg downtime qlimit pid iid sid throttle lbtot tracked type rate rate_lim rate_max check_status',
  'check_code check_duration hrsp_1xx hrsp_2xx hrsp_3xx hrsp_4xx hrsp_5xx hrsp_other hanafail req_rate req_rate_max',
  'req_tot cli_abrt srv_abrt comp_in comp_out comp_byp comp_rsp lastsess last_chk last_agt qtime ctime rtime ttime',
  'agent_status agent_code agent_duration check_desc agent_desc check_rise check_fall check_health agent_rise agent_fall',
  'agent_health addr cookie mode algo conn_rate conn_rate_max conn_tot intercepted dcon dses',
].flatMap((line) => line.split(' '));

type Row = Readonly<Record<string, string | number>>;

/** HAProxy's statistics as `;csv` gives them: each line ends with a comma, so that the last field of all is empty. */
export function csvOf({ frontends, backends }: Proxies): string {
  const rows = [
    ...frontends.map((frontend, n) => frontendRow(frontend, n + 1)),
    ...backends.flatMap((backend, n) => backendRows(backend, frontends.length + n + 1)),
  ];
  const lines = rows.map((row) => columns.map((column) => quoted(row[column] ?? '')).join(','));
  return [`# ${columns.join(',')}`, ...lines].map((line) => `${line},\n`).join('');
}

const types = { frontend: 0, backend: 1, server: 2 } as const;

function frontendRow({ name, mode, numbers, address, port }: FrontendRow, iid: number): Row {
  return {
    ...{ pxname: name, svname: 'FRONTEND', status: 'OPEN', pid: 1, iid, sid: 0, type: types.frontend, mode },
    scur: numbers.open,
    stot: numbers.connections,
    bin: numbers.bytesIn,
    bout: numbers.bytesOut,
    dreq: numbers.refused,
    addr: `${address}:${port}`,
  };
}

function backendRows(backend: BackendRow, iid: number): readonly Row[] {
  const { name, mode, balance, servers, answers } = backend;
  const up = servers.filter(({ status }) => status === 'UP');
  const total = (of: (server: ServerRow) => number) => servers.reduce((all, server) => all + of(server), 0);
  return [
    ...servers.map((server) => ({ pxname: name, pid: 1, iid, mode, ...serverRow(server) })),
    {
      ...{ pxname: name, svname: 'BACKEND', pid: 1, iid, sid: 0, type: types.backend, mode, algo: balance },
      qcur: 0,
      scur: total(({ current }) => current),
      stot: total(sessions),
      bin: total(({ bytesIn }) => bytesIn),
      bout: total(({ bytesOut }) => bytesOut),
      econ: total(({ connectFailures }) => connectFailures),
      status: up.length > 0 ? 'UP' : 'DOWN',
      weight: up.reduce((all, { weight }) => all + weight, 0),
      act: up.filter(({ backup }) => !backup).length,
      bck: up.filter(({ backup }) => backup).length,
      ...answersOf(mode === 'http' ? answers : new Map()),
    },
  ];
}

function serverRow(server: ServerRow): Row {
  const { name, id, status, weight, backup, address, port } = server;
  return {
    ...{ svname: name, sid: id, type: types.server, status, weight },
    qcur: 0,
    scur: server.current,
    stot: sessions(server),
    lbtot: sessions(server),
    bin: server.bytesIn,
    bout: server.bytesOut,
    econ: server.connectFailures,
    act: backup ? 0 : 1,
    bck: backup ? 1 : 0,
    ...answersOf(server.answers),
    addr: `${address.includes(':') ? `[${address}]` : address}:${port}`,
  };
}

function sessions({ connections, answers }: ServerRow): number {
  return answers.values().reduce((all, count) => all + count, connections);
}

function answersOf(answers: Answers): Row {
  const classes = ['1xx', '2xx', '3xx', '4xx', '5xx'].map((one) => [`hrsp_${one}`, answers.get(one) ?? 0]);
  return { ...Object.fromEntries(classes), hrsp_other: answers.get('0xx') ?? 0 };
}

/** As HAProxy quotes: only where it must. */
function quoted(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
