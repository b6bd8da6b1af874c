import type { Socket } from 'node:net';
import { streamBinding } from './stream-binding.ts';

type OnRead = (this: object, data: ArrayBuffer | undefined) => unknown;
type Handle = { onread: OnRead };

/**
 * Takes what a connected socket reads into its static buffer without the stream around it. End and
 * errors still go to the stream. `onBytes` may give the memory for the reads that follow. Gives what undoes it; where the runtime has no
 * such handle, nothing changes.
 */
export function readDirectly(socket: Socket, onBytes: (length: number) => Buffer | undefined): () => void {
  const handle: unknown = Reflect.get(socket, '_handle');
  const binding = streamBinding();
  if (binding === undefined || !isHandle(handle)) return () => {};
  const { streamBaseState, kReadBytesOrError } = binding;
  const usual = handle.onread;
  handle.onread = function (data) {
    const length = streamBaseState[kReadBytesOrError]!;
    if (length <= 0) return Reflect.apply(usual, this, [data]);
    return onBytes(length);
  };
  return () => {
    handle.onread = usual;
  };
}

function isHandle(value: unknown): value is Handle {
  return (
    typeof value === 'object' && value !== null && 'onread' in value && typeof value.onread === 'function'
  );
}
