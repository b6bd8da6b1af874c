import type { Socket } from 'node:net';
import { streamBinding } from './stream-binding.ts';

type OnRead = (this: object, data: ArrayBuffer | undefined) => unknown;
type Handle = { onread: OnRead; readStart(): number; readStop(): number };

/** Of one socket, past its stream. */
export type Reading = {
  /** The stream knows nothing of it. */
  stop(): void;
  start(): void;
  /** Leaves the reading to the stream again. */
  giveBack(): void;
};

/**
 * Takes what a connected socket reads into its static buffer without the stream around it. End and
 * errors still go to the stream. `onBytes` may give the memory for the reads that follow. Undefined where the runtime has no such
 * handle: then nothing changes.
 */
export function readDirectly(
  socket: Socket,
  onBytes: (length: number) => Buffer | undefined,
): Reading | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  const binding = streamBinding();
  if (binding === undefined || !isHandle(handle)) return undefined;
  const { streamBaseState, kReadBytesOrError } = binding;
  const usual = handle.onread;
  handle.onread = function (data) {
    const length = streamBaseState[kReadBytesOrError]!;
    if (length <= 0) return Reflect.apply(usual, this, [data]);
    return onBytes(length);
  };
  return {
    stop: () => void handle.readStop(),
    start: () => void handle.readStart(),
    giveBack() {
      handle.onread = usual;
    },
  };
}

function isHandle(value: unknown): value is Handle {
  if (typeof value !== 'object' || value === null || !('onread' in value)) return false;
  return typeof value.onread === 'function' && 'readStart' in value && 'readStop' in value;
}
