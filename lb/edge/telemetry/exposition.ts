import type { LatencyCounts } from './histogram.ts';
import { latencyBounds } from './histogram.ts';

export type LabelPairs = Readonly<Record<string, string>>;

/** Prometheus text exposition format 0.0.4, a family at a time. */
export class Exposition {
  #lines: string[] = [];

  family(name: string, type: 'counter' | 'gauge' | 'histogram', help: string): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  }

  sample(name: string, value: number, labels: LabelPairs = {}): void {
    this.#lines.push(`${name}${labelText(labels)} ${value}`);
  }

  /** The samples of one histogram, in seconds. */
  histogram(name: string, { buckets, sumMs }: LatencyCounts, labels: LabelPairs): void {
    let sum = 0;
    for (const [n, bound] of latencyBounds.entries()) {
      sum += buckets[n] ?? 0;
      this.sample(`${name}_bucket`, sum, { ...labels, le: String(bound / 1_000) });
    }
    sum += buckets[latencyBounds.length] ?? 0;
    this.sample(`${name}_bucket`, sum, { ...labels, le: '+Inf' });
    this.sample(`${name}_sum`, sumMs / 1_000, labels);
    this.sample(`${name}_count`, sum, labels);
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

function labelText(labels: LabelPairs): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
