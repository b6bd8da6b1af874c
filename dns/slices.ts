import { setImmediate as otherWork } from 'node:timers/promises';

/** Well below what a client would notice of an answer that comes later. */
const sliceMs = 1;

/** Does all steps, and lets the thread do its other work after every `sliceMs` of them; `onPause` is called before that, and last. */
export async function inSlices(steps: Iterable<void>, onPause: () => void): Promise<void> {
  try {
    let until = performance.now() + sliceMs;
    for (const _ of steps) {
      if (performance.now() < until) continue;
      onPause();
      await otherWork();
      until = performance.now() + sliceMs;
    }
  } finally {
    onPause();
  }
}
