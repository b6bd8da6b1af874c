import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import { CannotListen, PortInUse } from '../../../core/kit/listen.ts';

export type ListenPlace = { readonly address: string; readonly port: number };

type Handle = {
  getsockname(out: { port?: number }): number;
  close(): void;
};

/**
 * An address and port that are ours, held by the control process and lent to its workers. While a worker restarts the
 * kernel goes on queueing connections for the next one: nobody is turned away.
 */
export class ListenSocket {
  /** Node's own TCP object, to be sent to a worker. */
  readonly handle: object;
  /** The port it really got. */
  readonly port: number;
  readonly #close: () => void;

  /** `given`: a socket that is bound there already. Throws PortInUse. `address` is numeric. */
  constructor(place: ListenPlace, given?: unknown) {
    const handle = isHandle(given) ? given : bind(place);
    const bound: { port?: number } = {};
    handle.getsockname(bound);
    this.handle = handle;
    this.port = bound.port ?? 0;
    this.#close = () => handle.close();
    // libuv keeps a failed bind for itself until listen, which happens elsewhere: an unbound socket gives it away.
    if (this.port === 0 || (place.port !== 0 && this.port !== place.port)) {
      this.close();
      throw new PortInUse(place);
    }
  }

  close(): void {
    this.#close();
  }
}

/** Not in the public types, but what node:cluster itself uses for sockets that are bound here and listened to elsewhere. */
function bind(place: ListenPlace): Handle {
  const create: unknown = Reflect.get(net, '_createServerHandle');
  if (typeof create !== 'function')
    throw new CannotListen({ ...place, protocol: 'tcp' }, 'this runtime has no server handles');
  const family = net.isIPv6(place.address) ? 6 : 4;
  const handle: unknown = create(place.address, place.port, family, undefined, 0);
  if (isHandle(handle)) return handle;
  const code = typeof handle === 'number' ? getSystemErrorName(handle) : 'unknown error';
  if (code === 'EADDRINUSE') throw new PortInUse(place);
  throw new CannotListen({ ...place, protocol: 'tcp' }, Object.assign(new Error(code), { code }));
}

function isHandle(value: unknown): value is Handle {
  return typeof value === 'object' && value !== null && 'getsockname' in value && 'close' in value;
}
