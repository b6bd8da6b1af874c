import type { Clock } from '../../kit/clock.ts';
import type { Lock } from '../store.ts';

/** A lock of a server that takes it back unless it is renewed. */
export type LeaseServer = {
  /** The new holder's fence, or undefined while another holds the lease. */
  acquire(): Promise<number | undefined>;
  /** Whether this holder still has it. */
  renew(fence: number): Promise<boolean>;
  release(fence: number): Promise<void>;
};

export type LeaseOptions = {
  readonly clock: Clock;
  /** How long the server keeps a lease that is not renewed, ms. */
  readonly ttlMs: number;
  /** Between two tries while another holds it, ms. */
  readonly retryMs: number;
};

/**
 * Waits for the lease, then keeps renewing it until it is released or lost. It counts as lost a tenth of its time before
 * the server may give it to another, counted from before the last renewal was sent, so two never hold it at once.
 */
export async function holdLease(
  server: LeaseServer,
  options: LeaseOptions,
  signal: AbortSignal,
): Promise<Lock> {
  for (;;) {
    signal.throwIfAborted();
    const guard = new Guard(options);
    const fence = await server.acquire();
    if (fence === undefined) {
      guard.stop();
      await options.clock.sleep(options.retryMs, signal);
      continue;
    }
    return held(server, options, { fence, guard });
  }
}

function held(server: LeaseServer, options: LeaseOptions, grant: { fence: number; guard: Guard }): Lock {
  const lost = new AbortController();
  const released = new AbortController();
  const renewing = keep(server, options, { ...grant, lost, released: released.signal });
  const release = async () => {
    if (released.signal.aborted) return;
    released.abort();
    await renewing;
    if (!lost.signal.aborted) await server.release(grant.fence);
  };
  return { fence: grant.fence, lost: lost.signal, release };
}

type Keeping = {
  readonly fence: number;
  readonly guard: Guard;
  readonly lost: AbortController;
  readonly released: AbortSignal;
};

async function keep(server: LeaseServer, options: LeaseOptions, keeping: Keeping): Promise<void> {
  let guard = keeping.guard;
  const over = () => keeping.lost.abort();
  guard.onEnd = over;
  const ended = AbortSignal.any([keeping.released, keeping.lost.signal]);
  while (!ended.aborted) {
    await options.clock.sleep(options.ttlMs / 3, ended).catch(() => {});
    if (ended.aborted) break;
    const next = new Guard(options);
    const kept = await server.renew(keeping.fence).catch(() => undefined);
    if (kept === true) {
      guard.stop();
      guard = next;
      guard.onEnd = over;
    } else next.stop();
    if (kept === false) over();
  }
  guard.stop();
}

/** Calls `onEnd` when nine tenths of a lease's time have passed since it was made. */
class Guard {
  onEnd: () => void = () => {};
  readonly #stopped = new AbortController();

  constructor(options: LeaseOptions) {
    options.clock.sleep(options.ttlMs * 0.9, this.#stopped.signal).then(
      () => this.onEnd(),
      () => {},
    );
  }

  stop(): void {
    this.#stopped.abort();
  }
}
