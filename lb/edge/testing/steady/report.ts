export type SteadyOptions = {
  readonly host: string;
  /** Ports of the edge on 127.0.0.1. */
  readonly http: number;
  readonly https: number;
  /** Requests a second. */
  readonly rate: number;
  /** WebSockets. */
  readonly sockets: number;
};

export type SteadyReport = {
  readonly sent: number;
  readonly answered: number;
  /** What was not an answer of 200, by what it was. */
  readonly failures: Readonly<Record<string, number>>;
  /** How many different ones new connections were shown. */
  readonly certificates: number;
  readonly sockets: number;
  /** WebSockets that closed, or did not send everything back. */
  readonly lost: number;
  readonly echoes: number;
  /** From when a request was due. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly seconds: number;
};

export function percentile(sample: readonly number[], share: number): number {
  const sorted = sample.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? -1;
}
