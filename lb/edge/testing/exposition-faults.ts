const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$/;

/** What a scraper would complain about in a text of metrics: format 0.0.4, and the rules that promtool checks. Empty: nothing. */
export function expositionFaults(text: string): readonly string[] {
  const faults: string[] = [];
  const types = new Map<string, string>();
  const seen = new Set<string>();
  const buckets = new Map<string, { last: number; bound: number }>();
  let family = '';
  if (!text.endsWith('\n')) faults.push('the last line does not end');
  for (const line of text.split('\n').slice(0, -1)) {
    const [, keyword, subject = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (types.has(subject)) faults.push(`${subject} comes twice`);
      if (rest === '' || !name.test(subject)) faults.push(`no good help: ${line}`);
      family = subject;
    } else if (keyword === 'TYPE') {
      if (subject !== family) faults.push(`${subject} has no help`);
      if (rest === 'counter' && !subject.endsWith('_total')) faults.push(`${subject} should end in _total`);
      types.set(subject, rest);
    } else {
      faults.push(...sampleFaults(line, { family, type: types.get(family) ?? '', seen, buckets }));
    }
  }
  return faults;
}

type Place = {
  readonly family: string;
  readonly type: string;
  readonly seen: Set<string>;
  readonly buckets: Map<string, { last: number; bound: number }>;
};

function sampleFaults(line: string, { family, type, seen, buckets }: Place): readonly string[] {
  const [, series = '', labels = '', text = ''] = sample.exec(line) ?? [];
  if (series === '') return [`not a sample: ${line}`];
  const value = Number(text);
  const key = `${series}{${labels}}`;
  const faults: string[] = [];
  if (!Number.isFinite(value)) faults.push(`no number: ${line}`);
  if (seen.has(key)) faults.push(`twice: ${key}`);
  seen.add(key);
  const suffix = series.slice(family.length);
  const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
  if (!series.startsWith(family) || !suffixes.includes(suffix)) faults.push(`${series} is not of ${family}`);
  if (suffix === '_bucket') faults.push(...bucketFaults(labels, value, buckets));
  if (
    suffix === '_count' &&
    type === 'histogram' &&
    buckets.get(`${family} ${labels}`.slice(family.length + 1))?.last !== value
  )
    faults.push(`${key} is not its last bucket`);
  return faults;
}

function bucketFaults(labels: string, value: number, buckets: Place['buckets']): readonly string[] {
  const le = /,?le="([^"]+)"/.exec(labels);
  const own = labels.replace(le?.[0] ?? '', '');
  const bound = le?.[1] === '+Inf' ? Number.POSITIVE_INFINITY : Number(le?.[1]);
  const before = buckets.get(own) ?? { last: 0, bound: Number.NEGATIVE_INFINITY };
  const begins =
    before.bound === Number.POSITIVE_INFINITY ? { last: 0, bound: Number.NEGATIVE_INFINITY } : before;
  buckets.set(own, { last: value, bound });
  if (Number.isNaN(bound)) return [`a bucket without bound: ${labels}`];
  return bound > begins.bound && value >= begins.last ? [] : [`buckets out of order: ${labels}`];
}
