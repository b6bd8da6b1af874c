import type { BackendRow, FrontendRow, Proxies } from './proxies.ts';

/** The statistics for people: one table for the places that are open, one for each backend. */
export function pageOf({ frontends, backends }: Proxies): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Statistics Report for Weir</title><style>${style}</style></head><body>
<h1>Weir: statistics of this edge</h1>
<p><a href="/haproxy?stats;csv">CSV</a> · <a href="/metrics">metrics</a> · <a href="/_haproxy_getconfig">configuration</a></p>
${table('frontends', ['frontend', 'place', 'mode', 'open', 'connections', 'in', 'out'], frontends.map(frontendCells))}
${backends.map(backendTable).join('\n')}
</body></html>
`;
}

const style =
  'body{font:14px sans-serif;margin:1.5em}table{border-collapse:collapse;margin:1em 0}caption{text-align:left;font-weight:bold}td,th{padding:.2em .7em;border:1px solid #ccc;text-align:right}td:first-child,th:first-child{text-align:left}.UP{background:#cfc}.DOWN{background:#fcc}.MAINT{background:#ddd}';

function frontendCells({ name, address, port, mode, numbers }: FrontendRow) {
  const { open, connections, bytesIn, bytesOut } = numbers;
  return { cells: [name, `${address}:${port}`, mode, open, connections, bytesIn, bytesOut] };
}

function backendTable({ name, servers }: BackendRow): string {
  const classes = ['2xx', '3xx', '4xx', '5xx'];
  const rows = servers.map((server) => ({
    state: server.status,
    cells: [
      ...[server.name, `${server.address}:${server.port}`, server.status, server.weight, server.current],
      ...classes.map((one) => server.answers.get(one) ?? 0),
      server.connectFailures,
    ],
  }));
  return table(name, ['server', 'place', 'state', 'weight', 'now', ...classes, 'refused'], rows);
}

type Row = { readonly state?: string; readonly cells: readonly (string | number)[] };

function table(caption: string, head: readonly string[], rows: readonly Row[]): string {
  const line = ({ state, cells }: Row) =>
    `<tr${state === undefined ? '' : ` class="${state}"`}>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
  return `<table><caption>${escaped(caption)}</caption><tr>${head.map((one) => `<th>${one}</th>`).join('')}</tr>${rows.map(line).join('')}</table>`;
}

function escaped(value: string | number): string {
  return String(value).replace(/[&<>"]/g, (found) => `&#${found.charCodeAt(0)};`);
}
