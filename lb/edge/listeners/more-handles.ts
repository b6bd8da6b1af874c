/** A socket of the runtime, listening or connected. */
type Handle = { readonly fd: number; open(fd: number): number };

const definitions = {
  accept4: { return: 'int32', arguments: ['int32', 'pointer', 'pointer', 'int32'] },
  close: { return: 'int32', arguments: ['int32'] },
} as const;

/** SOCK_NONBLOCK | SOCK_CLOEXEC of Linux, the same on x86-64 and 64-bit ARM. */
const flags = 0x80800;
/** A constant of the runtime: a handle of a connection, not one that listens. */
const connectionKind = 0;

/**
 * The runtime takes one connection in a turn of its event loop. Where a turn has much to do for others, whoever comes waits as many
 * turns as there are connections before it: seconds beside a thousand slow clients. This takes a further one that waits already;
 * undefined: there is none, or the runtime is another than we know.
 */
export function moreHandles(listening: object): () => object | undefined {
  const calls = openCalls();
  const make: unknown = Reflect.get(listening, 'constructor');
  if (calls === undefined || !isHandle(listening) || typeof make !== 'function') return () => undefined;
  return () => {
    const fd = calls.accept4(listening.fd, 0n, 0n, flags);
    if (fd < 0) return undefined;
    const handle: unknown = Reflect.construct(make, [connectionKind]);
    if (isHandle(handle) && handle.open(fd) === 0) return handle;
    calls.close(fd);
    return undefined;
  };
}

function openCalls() {
  const isKnown = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64');
  if (!isKnown) return undefined;
  try {
    return process.getBuiltinModule('node:ffi').dlopen(null, definitions).functions;
  } catch {
    return undefined;
  }
}

function isHandle(value: unknown): value is Handle {
  return typeof value === 'object' && value !== null && 'fd' in value && 'open' in value;
}
