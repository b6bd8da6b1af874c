/** One line of HAProxy's CSV by the names of its columns. */
export type CsvRow = ReadonlyMap<string, string | undefined>;

/** Read as marathon-lb's own tools do: the last field of a line is empty and does not count. */
export function rowsOf(csv: string): readonly CsvRow[] {
  const [head = '', ...lines] = csv.trimEnd().split('\n');
  const names = head.replace(/^# /, '').replace(/,$/, '').split(',');
  return lines.map((line) => {
    const values = line.split(',').slice(0, -1);
    return new Map(names.map((name, n) => [name, values[n]]));
  });
}

/** The servers of a backend. */
export function serversIn(csv: string, backend: string): readonly CsvRow[] {
  return rowsOf(csv).filter((row) => row.get('pxname') === backend && row.get('type') === '2');
}
