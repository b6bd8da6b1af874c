/** The value below which a share of the sorted sample lies; the sample must not be empty. */
export function percentile(sample: readonly number[], share: number): number {
  const sorted = sample.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function milliseconds(value: number): string {
  return `${value.toFixed(1)} ms`;
}

/** The last line of every bench: one JSON object. */
export function conclude(result: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(result));
}
