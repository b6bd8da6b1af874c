export type Labels = Readonly<Record<string, string>>;

type Series = { readonly labels: string; value: number };
type Family = {
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly series: Map<string, Series>;
};

/** Counters and gauges, written out as Prometheus text. Names and labels are the caller's; keep label values bounded. */
export class Metrics {
  readonly #families = new Map<string, Family>();

  /** Declares a metric and gives the function that adds to it. */
  counter(name: string, help: string): (labels?: Labels, by?: number) => void {
    const family = this.#declare(name, help, 'counter');
    return (labels = {}, by = 1) => {
      seriesOf(family, labels).value += by;
    };
  }

  /** Declares a metric and gives the function that sets it. */
  gauge(name: string, help: string): (value: number, labels?: Labels) => void {
    const family = this.#declare(name, help, 'gauge');
    return (value, labels = {}) => {
      seriesOf(family, labels).value = value;
    };
  }

  /** Every series there is, with its labels in the name. */
  all(): readonly { readonly name: string; readonly type: Family['type']; readonly value: number }[] {
    return [...this.#families].flatMap(([name, { type, series }]) =>
      [...series.values()].map(({ labels, value }) => ({ name: name + labels, type, value })),
    );
  }

  /** Prometheus text exposition format 0.0.4. */
  text(): string {
    const lines: string[] = [];
    for (const [name, family] of this.#families) {
      lines.push(`# HELP ${name} ${family.help}`, `# TYPE ${name} ${family.type}`);
      for (const series of family.series.values()) lines.push(`${name}${series.labels} ${series.value}`);
    }
    return `${lines.join('\n')}\n`;
  }

  #declare(name: string, help: string, type: Family['type']): Family {
    const family = this.#families.get(name) ?? { help, type, series: new Map() };
    this.#families.set(name, family);
    return family;
  }
}

function seriesOf(family: Family, labels: Labels): Series {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escapeLabel(value)}"`);
  const text = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
  const series = family.series.get(text) ?? { labels: text, value: 0 };
  family.series.set(text, series);
  return series;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
