import { type ContainerEnd, StopFailed } from '../../runtime.ts';
import type { LocalContainers } from './local-containers.ts';
import type { ContainerRecord } from './records.ts';

/** How long the kernel may take to end what was sent SIGKILL. */
const killMs = 10_000;

export type Signals = {
  /** Asks to end; `signal` aborts when the grace is over or the end has come. */
  terminate(signal: AbortSignal): Promise<void>;
  /** Ends all of it. May be repeated. */
  kill(): Promise<void>;
};

/** SIGTERM, grace, SIGKILL; also for containers that were never started or have ended. */
export async function stopContainer(
  containers: LocalContainers,
  record: ContainerRecord,
  options: { graceMs: number; signals: Signals },
): Promise<ContainerEnd> {
  const state = await containers.settled(record);
  if (state.kind === 'ended') return state.end;
  if (state.kind === 'created') {
    await options.signals.kill();
    return containers.endUnstarted(record);
  }
  const end = options.graceMs > 0 ? await terminate(containers, record, options) : undefined;
  if (end !== undefined) return end;
  await options.signals.kill();
  const killed = await containers.waitForEnd(record, killMs);
  if (killed !== undefined) return killed;
  throw new StopFailed(
    record.spec.id,
    `process ${state.pid} is still there ${killMs / 1000} s after SIGKILL`,
  );
}

async function terminate(
  containers: LocalContainers,
  record: ContainerRecord,
  options: { graceMs: number; signals: Signals },
): Promise<ContainerEnd | undefined> {
  const grace = new AbortController();
  const asked = options.signals.terminate(grace.signal);
  const end = await containers.waitForEnd(record, options.graceMs);
  grace.abort();
  await asked;
  return end;
}
