import type { Clock } from '../core/kit/clock.ts';
import { errorText } from '../core/kit/errors.ts';
import type { Log } from '../core/kit/log.ts';
import { ownerOf } from './containers.ts';
import type { Instances } from './instances.ts';
import type { Performer } from './perform.ts';
import type { ContainerEnd, ContainerRuntime } from './runtime.ts';
import type { Work } from './work.ts';

export type ExitsDependencies = {
  readonly runtime: ContainerRuntime;
  readonly instances: Instances;
  readonly performer: Pick<Performer, 'ended'>;
  readonly work: Pick<Work, 'isStopping'>;
  readonly clock: Clock;
  readonly log: Log;
};

/** What failed is tried again after this. */
const repeatMs = 1_000;

/** Records each end of a container that nobody asked for, until the signal aborts. */
export async function followExits(dependencies: ExitsDependencies, signal: AbortSignal): Promise<void> {
  const { runtime, instances, work, clock, log } = dependencies;
  while (!signal.aborted) {
    try {
      for await (const { id, end } of runtime.exits(signal)) {
        const key = ownerOf(id, instances.all)?.key ?? id;
        if (!work.isStopping(key)) await recordEnd(id, end, { dependencies, signal });
      }
    } catch (error) {
      log.error('ends of containers are not heard of, looking again', { error: errorText(error) });
    }
    if (!signal.aborted) await clock.sleep(repeatMs, signal).catch(() => {});
  }
}

/** An end is told once: while it cannot be written (a full disk), it is tried again. */
async function recordEnd(
  id: string,
  end: ContainerEnd,
  { dependencies, signal }: { dependencies: ExitsDependencies; signal: AbortSignal },
): Promise<void> {
  const { performer, clock, log } = dependencies;
  while (!signal.aborted) {
    try {
      return await performer.ended(id, end);
    } catch (error) {
      log.error('an end cannot be recorded, it will be repeated', { key: id, error: errorText(error) });
      await clock.sleep(repeatMs, signal).catch(() => {});
    }
  }
}
