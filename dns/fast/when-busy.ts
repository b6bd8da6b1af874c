import { openPlain, plainSockets } from '../plain-sockets.ts';
import type { OpenSocket, SocketLayer } from '../sockets.ts';
import { bound, boundPort, canBind, setOption } from './bind.ts';
import { startFastSockets } from './fast-sockets.ts';
import { C, type Libc } from './libc.ts';

export type BusyOptions = {
  /** Questions a second, on one address, from which on the fast layer is worth its thread (some 20 MB). */
  readonly busyPerSecond: number;
  /** Milliseconds, as performance.now gives. */
  readonly now: () => number;
  /** Of the fast layer. */
  readonly threads: number;
};

const defaultBusyOptions = { busyPerSecond: 5_000, now: () => performance.now() };

/** The plain layer until an address is busy, from then on the fast one, on the same socket: what has arrived is answered. */
export function fastWhenBusy(
  libc: Libc,
  { threads = 1, ...options }: Partial<BusyOptions> = {},
): SocketLayer {
  const busy = { ...defaultBusyOptions, ...options };
  return {
    name: 'auto',
    async open(at, respond, hot) {
      if (!canBind(at)) return plainSockets.open(at, respond);
      const fd = bound(libc, at);
      const own = { address: at.address, port: boundPort(libc, fd) };
      const fast = async (quiet: OpenSocket) => {
        const socket = await startFastSockets(libc, { fd: libc.dup(fd), at: own, respond, hot }, threads);
        await quiet.close();
        socket.begin();
        return socket;
      };
      const onQuestion = whenBusy(busy, () => growing.grow());
      const quiet = await openPlain({ fd }, own, { respond, hot, onQuestion });
      // set by the event loop's library when it is given a socket; it would let another process have the port as well
      setOption(libc, fd, { level: C.SOL_SOCKET, name: C.SO_REUSEADDR, value: Int32Array.of(0) });
      const growing = new GrowingSocket(quiet, fast);
      return growing;
    },
  };
}

/** To be called for each question: calls `onBusy` whenever as many as make a busy second came within one. */
function whenBusy(
  { busyPerSecond, now }: Pick<BusyOptions, 'busyPerSecond' | 'now'>,
  onBusy: () => void,
): () => void {
  let count = 0;
  let since = now();
  return () => {
    count += 1;
    if (count < busyPerSecond) return;
    const until = now();
    if (until - since <= 1_000) onBusy();
    count = 0;
    since = until;
  };
}

class GrowingSocket implements OpenSocket {
  readonly address: string;
  readonly port: number;
  readonly #quiet: OpenSocket;
  readonly #fast: (quiet: OpenSocket) => Promise<OpenSocket>;
  #now: Promise<OpenSocket> | undefined;

  constructor(quiet: OpenSocket, fast: (quiet: OpenSocket) => Promise<OpenSocket>) {
    this.address = quiet.address;
    this.port = quiet.port;
    this.#quiet = quiet;
    this.#fast = fast;
  }

  /** Once; without a thread to be had, the plain one goes on. */
  grow(): void {
    this.#now ??= this.#fast(this.#quiet).catch(() => this.#quiet);
  }

  async close(): Promise<void> {
    const socket = await (this.#now ?? this.#quiet);
    await socket.close();
  }
}
