import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import type { Host } from './host.ts';

export type LoadTarget = {
  readonly name: string;
  readonly url: string;
  /** Asked before each request for the address that `url` has as `ADDRESS`. */
  readonly resolve?: () => Promise<string>;
  /** The Host header. */
  readonly host?: string;
};

export type LoadReport = {
  readonly sent: number;
  /** One line for each request that was not answered with 200. */
  readonly failures: readonly string[];
  /** Every different answer. */
  readonly answers: ReadonlySet<string>;
};

/** Requests at a steady rate, each on a connection of its own, until stopped. */
export type Load = {
  /** Stops, waits for what is under way, and tells how it went. */
  stop(): Promise<LoadReport>;
};

const timeoutMs = 10_000;

/** Open loop: a slow answer does not keep the next request back. Bounded: `limit` requests at most. */
export function startLoad(
  { tunnel }: Host,
  target: LoadTarget,
  { perSecond, limit = 5_000 }: { perSecond: number; limit?: number },
): Load {
  const failures: string[] = [];
  const answers = new Set<string>();
  const pending = new Set<Promise<void>>();
  const start = performance.now();
  let sent = 0;
  let stopped = false;

  const sending = send();

  async function send(): Promise<void> {
    while (!stopped && sent < limit) {
      const due = start + (sent * 1_000) / perSecond;
      const early = due - performance.now();
      if (early > 1) await pause(early);
      const at = Math.round(performance.now() - start);
      sent += 1;
      const one = ask().then(
        (answer) => void answers.add(answer),
        (error: unknown) => void failures.push(`${target.name} at ${at} ms: ${String(error)}`),
      );
      pending.add(one);
      void one.finally(() => pending.delete(one));
    }
  }

  async function ask(): Promise<string> {
    const address = await target.resolve?.();
    const url = address === undefined ? target.url : target.url.replace('ADDRESS', address);
    const answer = await request(url, {
      dispatcher: tunnel.single,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      headers: { ...(target.host === undefined ? {} : { host: target.host }), connection: 'close' },
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${text.trim()}`);
    return text.trim();
  }

  return {
    async stop() {
      stopped = true;
      await sending;
      await Promise.all(pending);
      return { sent, failures, answers };
    },
  };
}
