/** One write that the kernel did not take at once. */
export type WriteRequest = { oncomplete?: (status: number) => void; bytes?: Buffer };

/** What sockets of the runtime read and write with. */
export type StreamBinding = {
  readonly WriteWrap: new () => WriteRequest;
  /** What came of the last read or write, by the numbers below. */
  readonly streamBaseState: Readonly<Record<number, number>>;
  readonly kLastWriteWasAsync: number;
  readonly kReadBytesOrError: number;
};

/** Not in the public types. Undefined where it is another: then streams do what they always do. */
export function streamBinding(): StreamBinding | undefined {
  const open: unknown = Reflect.get(process, 'binding');
  if (typeof open !== 'function') return undefined;
  const binding: unknown = Reflect.apply(open, process, ['stream_wrap']);
  return isBinding(binding) ? binding : undefined;
}

function isBinding(value: unknown): value is StreamBinding {
  const needed = ['WriteWrap', 'streamBaseState', 'kLastWriteWasAsync', 'kReadBytesOrError'];
  return typeof value === 'object' && value !== null && needed.every((name) => name in value);
}
