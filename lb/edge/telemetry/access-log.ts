import type { Clock } from '../../../core/kit/clock.ts';
import type { AccessLogSettings } from '../settings.ts';
import { type Lines, LogFile } from './log-file.ts';

/** One request and its answer, or one connection or flow that is not HTTP, as the access log tells it. Times are ms; absent: it did not come to that. */
export type AccessEntry = {
  /** When its head had come, or it began, ms since the epoch. */
  readonly begunAt: number;
  readonly id?: string;
  readonly client: string;
  readonly scheme: 'http' | 'https' | 'tcp' | 'tls' | 'udp';
  readonly protocol?: string;
  /** Of what is not HTTP. */
  readonly listener?: string;
  readonly tls?: string | undefined;
  readonly host?: string | undefined;
  readonly method?: string | undefined;
  readonly path?: string | undefined;
  readonly query?: string | undefined;
  /** 0: the client was gone before an answer. Absent: not HTTP. */
  readonly status?: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly connectMs?: number | undefined;
  readonly firstByteMs?: number | undefined;
  readonly route?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly retries?: number;
  /** Why the edge answered by itself, or why the answer is not whole. */
  readonly why?: string | undefined;
  /** From its beginning until it was over; absent: it is over now. */
  readonly totalMs?: number;
};

export type AccessLogOptions = {
  /** Share of the requests that are written; those with 5xx always are. */
  readonly share: number;
  /** Numbers in [0, 1). */
  readonly chance: () => number;
};

/** Writes a line of JSON for requests that are over. */
export class AccessLog {
  readonly #clock: Clock;
  readonly #lines: Lines;
  readonly #options: AccessLogOptions;

  constructor({ clock, lines }: { clock: Clock; lines: Lines }, options: AccessLogOptions) {
    this.#clock = clock;
    this.#lines = lines;
    this.#options = options;
  }

  /** Lines that were lost because they could not be written fast enough, or at all. */
  get lost(): number {
    return this.#lines.lost;
  }

  flush(): Promise<void> {
    return this.#lines.flush();
  }

  add({ begunAt, totalMs = this.#clock.now() - begunAt, ...entry }: AccessEntry): void {
    const { share, chance } = this.#options;
    const isSampled = share < 1 && (entry.status ?? 0) < 500;
    if (isSampled && chance() >= share) return;
    const sampled = isSampled ? { share } : {};
    this.#lines.add(
      `${JSON.stringify({ time: new Date(begunAt).toISOString(), ...entry, totalMs: Math.max(0, totalMs), ...sampled })}\n`,
    );
  }
}

/** Undefined: nobody wants one. */
export function accessLogOf(
  { clock, chance }: { readonly clock: Clock; readonly chance: () => number },
  settings: AccessLogSettings | undefined,
): AccessLog | undefined {
  if (settings === undefined) return undefined;
  const { file, share } = settings;
  return new AccessLog({ clock, lines: new LogFile(clock, file) }, { share, chance });
}
