import type { Upstream } from '../options.ts';

type Known = {
  /** Smoothed, in ms; undefined: never tried. */
  latency: number | undefined;
  /** In a row. */
  failures: number;
  /** Tried only when no other is left, until then. */
  downUntil: number;
};

const failuresToBeDown = 3;
const firstDownMs = 1_000;
const longestDownMs = 30_000;
/** Weight of the newest measurement. */
const smoothing = 0.25;

/** What is known of each upstream: how quick it is, and whether it answers. A failure is forgotten by the next answer. */
export class UpstreamHealth {
  readonly #known = new Map<string, Known>();

  /** Those that answer first, in the order given; then those that do not. */
  inOrder(upstreams: readonly Upstream[], now: number): readonly Upstream[] {
    const isDown = (upstream: Upstream) => this.#of(upstream).downUntil > now;
    return [...upstreams.filter((upstream) => !isDown(upstream)), ...upstreams.filter(isDown)];
  }

  /** As `inOrder`, the quicker before the slower; one that was never asked is tried first. */
  byLatency(upstreams: readonly Upstream[], now: number): readonly Upstream[] {
    const latency = (upstream: Upstream) => this.#of(upstream).latency ?? 0;
    return this.inOrder(
      upstreams.toSorted((a, b) => latency(a) - latency(b)),
      now,
    );
  }

  /** It answered, after so many ms. */
  answered(upstream: Upstream, ms: number): void {
    const known = this.#of(upstream);
    known.latency = known.latency === undefined ? ms : known.latency + smoothing * (ms - known.latency);
    known.failures = 0;
    known.downUntil = 0;
  }

  /** It did not, and so many ms were waited: it is at least that slow. */
  failed(upstream: Upstream, { now, ms }: { now: number; ms: number }): void {
    const known = this.#of(upstream);
    known.latency = Math.max(known.latency ?? 0, ms);
    known.failures += 1;
    const beyond = known.failures - failuresToBeDown;
    if (beyond >= 0) known.downUntil = now + Math.min(longestDownMs, firstDownMs * 2 ** beyond);
  }

  /** For metrics: latency in ms and whether it is taken to answer. */
  report(now: number): readonly { name: string; latency: number | undefined; up: boolean }[] {
    return [...this.#known].map(([name, { latency, downUntil }]) => ({
      name,
      latency,
      up: downUntil <= now,
    }));
  }

  #of(upstream: Upstream): Known {
    const key = upstreamName(upstream);
    const known = this.#known.get(key) ?? { latency: undefined, failures: 0, downUntil: 0 };
    this.#known.set(key, known);
    return known;
  }
}

/** `127.0.0.1:53`, `[::1]:53`. */
export function upstreamName({ address, port }: Upstream): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
