import { setImmediate as otherWork } from 'node:timers/promises';

/** Well below what a client would notice of an answer that comes later. */
const sliceMs = 2;

/** Does all steps, and lets the thread do its other work after every `sliceMs` of them. */
export async function inSlices(steps: Iterable<void>): Promise<void> {
  let until = performance.now() + sliceMs;
  for (const _ of steps) {
    if (performance.now() < until) continue;
    await otherWork();
    until = performance.now() + sliceMs;
  }
}
